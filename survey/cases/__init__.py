"""What came back, made fit to count: a closed case file, readings of answers, flags on domains.

Enters: opened records in any order, the plan, scheme and sample. Leaves: a `CaseFile`, sorted by
its own bytes and digested; columns that say what each case adds to a rate (`derivation`); counts
of the four silences (`item_nonresponse`); edits and indicators by domain. At size, answers in
columns become `AnswerCounts` by cell, in memory (`counting`) or as one expression that an engine
runs (`counting_expression`).

`case_table` reads the columns of a file collected elsewhere, `column_expression` makes more of them.

Decisions
- 2026-11-24. No answer is left out for what it says, nor for speed or sameness (TRUST section 1).
  Only a day outside the plan's days keeps a record out here (X3). Nothing reopens this.
- 2026-11-24. A value that no option has is unreadable: counted apart, treated as skipped, never
  mended. The intake refuses it, so one that appears is itself a finding.
- 2026-11-24. The digest covers the sorted digests of records, not the records: an auditor with
  the records recomputes it, and the public learns nothing from it.
- 2026-11-24. A blank leaves the base (METHOD step 12). `imputation` fills columns beside the originals,
  by a named method, for whoever asks; no certified figure rests on it.
- 2026-11-25. Counts are whole numbers, weights too (units of 2^-30 of a person), so that four engines,
  any order and any number of threads give the same to the last unit. Reopen for weights of more
  than 33 million people, or totals of more than 8.5 thousand million.
"""
