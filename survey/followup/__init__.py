"""Room 8: what is done about it.

Enters: results documents of certified waves, as they were published. Leaves: weak points that are
not noise, differences between waves and counties, warnings, and the ledger of problems with its
history. Nothing here sees an answer, and nothing here changes a figure.

How to walk through: `published` reads the rows of a results document and compares two of them;
`findings` says which rows are weak; `ledger` is a problem's life.

Decisions:

- 2026-11-25. Only certified results enter: a draft figure would let a problem be opened, or
  closed, by a number that later moves. Nothing reopens this.
- 2026-11-25. A row is weak only if it lies under the line beyond chance after Holm's correction
  over every row that was looked at. Of two hundred items ten would be "weak" by chance alone.
- 2026-11-25. Published texts are compared (four decimals, cut off), not the answers: whoever holds
  the two documents can redo it. The cut moves a difference by less than 0.0001.
"""
