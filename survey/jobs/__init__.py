"""The platform's verbs: load, compute, save. One verb a module; pages, commands and tests share them.

What enters: a wave's name, what a person gave (a file, a seed, two signers), the time. What
leaves: a value of one of the rooms to the left, saved. Only the saving holds the database;
heavy computation runs in a thread.

Decided 2026-11-24: every verb that two people must carry takes both `Signers` at once. On
two computers each signs a file of their own (issue 5); reopen this then.

Decided 2026-11-25: a paper form's first pass is sealed to a key of its own outside the database,
so that no stored file holds an answer in clear before opening; who types is in the audit trail,
which form and what it says is not. Reopen: telephone interviews, which need a mode of their own
in the record.
"""
