"""Room 6: what the answers say, and how surely.

Enters: columns of answers, a `sampling.design` and final weights. Leaves: an `Estimate` (value,
variance, degrees of freedom, rows, scores) and from it an interval, a comparison, a composite, a
decision. Nothing here knows of schools, databases or pages.

How to walk through: `totals` and `means` make scores; `linearization` turns scores into
covariance; `intervals` into bounds; `composite` and `comparison` combine estimates through their
scores; `disclosure` and `figure` decide what may be shown. `analysis` reckons a file collected
elsewhere by a spec that a person wrote. `conformance` runs the reference
vectors on these same functions, so an office can see that its installation computes as R does.

Decisions:

- 2026-11-24. A domain is a mask. Estimators take the whole design; PSUs without a member count.
  Reopened by: nothing; filtering is wrong.
- 2026-11-24. Korn–Graubard is the default interval of a proportion, no interval at df <= 0.
  METHOD section 2 has the simulation. Reopened by: a method that holds at ICC .10 and P > .99.
- 2026-11-24. Scores travel with every estimate, so any two estimates of one sample have a
  covariance. The price is one column of floats per estimate; the gain is that no report needs a
  second pass over the answers.
- 2026-11-24. Lonely-PSU policies follow R survey 4.5, `adjust` included (grand mean of unit
  totals), since offices compare with it.
- 2026-11-25. A figure is a sum of ratios of counts with shares signed before anybody answers
  (`figure_parts`), so points, items and full bodies are certified like the share of one item. A part
  nobody has an opinion on leaves and is named. Reopened by: a scheme that says how to reweight.
- 2026-11-25. A figure joined from groups has Korn–Graubard at its own effective size, not the log-odds
  interval of METHOD 11, which covered 91 % in the hardest cell. Reopened by: a method that is as safe
  and narrower on benchmarks/estimation_coverage.py.
- 2026-11-25. Where fewer than five schools hold the minority, the effective size is capped at what an
  intra-class correlation of .10 would leave, and every output carries the caution.
"""
