"""The platform's verbs by hand. A command parses, calls one job and prints.

What enters: arguments, passphrases, files. What leaves: plain text for people, or with
`--json` exactly one JSON document on standard output. Exit status 0 done, 1 refused (the
refusal names thing, reason and remedy), 2 the command itself was mistyped.

Decided 2026-11-24: commands open the same database as the server. On SQLite one process
owns the data folder, so a command given while the server runs is refused in one sentence;
reopen this when a command channel into the running server exists.
"""
