"""Data collected elsewhere: a spec in words and columns of a file ⇒ a table of results.

Enters: an `AnalysisSpec` a person wrote and the `Columns` of their file. Leaves: one plain document
of rows, weighting history, notes and cautions, from which tables and report are made. Every number
comes from the same functions as a wave of our own; here they are only called by name.

Decisions:

- 2026-11-25. Domains are masks. Only two keys take rows out of the sample, `cases.sample` and an
  item's `missing: leave_sample`; both are counted in the notes.
- 2026-11-25. A float within 1e-13 of a decimal of ten places is that decimal, so that 17 of 20
  meets a line of 0.85 and shows 85.00 %.
- 2026-11-25. Small counts are withheld by default, the reader of somebody's export being unknown.
"""
