"""Who is asked: the frame of schools, the sizes a scheme owes, the draw, and the design it leaves.

Enters: the bytes of a school list, a plan and its scheme. Leaves: a `Frame` (`frame`, read by
`frame_file`), a `Preview` and a `Sample` (`wave_sample`), and for estimators a `Design`.
General formulas of survey sampling stand beside them: `sample_size`, `allocation`, `selection`.

Decisions
- 2026-11-24. A file at fault gives no frame at all, and every fault at once; digits stored as
  text are read with a warning, `1,011` and full-width digits are refused. Reason: a wrong total
  enters every weight. Reopen if offices cannot mend their files in one go.
- 2026-11-24. Strata are place × stage; one school joins a neighbour of its stage
  (`stratification`). Reason: the stage decides the form. Reopen for strata by township.
- 2026-11-24. Schools are a simple random sample in strata, not PPS, by SHA-256 tickets that
  anyone can compute; slips go in proportion to people, so chances within a stratum are equal and
  a figure can be recomputed from counts. Reopen if school sizes make this too imprecise.
- 2026-11-24. Every group gets slips enough to expect twice the smallest count that may be shown,
  even where the scheme owes three principals. Reason: a result from three people is hidden, and
  a figure that needs it could not be certified.
- 2026-11-24. Places and grade bands are bent only to the edge of the scheme's tolerance, and no
  stratum falls below half its share by people. Reason: every step from proportion costs precision.
- 2026-11-25. The draw is written down for strangers in REPLAY.md, and a page of plain Python in the tests
  was written from that text alone. Change the two together, and only with a new method name.
"""
