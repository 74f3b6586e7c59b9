"""How each is reached, and what became of it.

Enters: domains with their slips, typed codes, checked answers, counts of the intake.
Leaves: `Invitation`s and their digests, records as TRUST section 2 wants them, dispositions
and outcome rates by their AAPOR numbers, participation without a single answer.

Decisions
- 2026-11-24: a mistyped code is told apart by length, sign and check before any look-up, so
  a slip of the finger is never counted as guessing. Reopen: a longer code.
- 2026-11-24: random bytes are handed in, so issuing can be replayed in a test and is secure
  in production. Reopen: never.
- 2026-11-24: pace has three bands by seconds an item (under 2, over 30, between); finer
  times would date a leaf. Reopen: evidence that another cut finds more.
- 2026-11-24: there is no status per person: slips are anonymous, so outcomes are counts per
  domain.
"""
