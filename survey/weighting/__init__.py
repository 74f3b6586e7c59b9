"""Room 5: whom each case stands for.

Enters: inclusion probabilities, outcomes of the fieldwork, known totals of the frame. Leaves:
final weights with a history of every factor, and replicates of the whole weighting if wanted.
Answers never enter: a weight may not depend on what a person said.

Decisions:

- 2026-11-24. One solver for calibration with three distances (linear, raking, logit), started from
  the design weights. Post-stratification is its closed form. Convergence is judged on the margins
  alone, and a run that does not meet them is a refusal, never a half-raked weight.
- 2026-11-24. Steps are recorded as factors (`history`), so a weight can be explained case by case.
"""
