"""Replicate weights that carry the variance of any design of ours, all stages of it.

Enters: a `Design` with the known totals its weights meet. Leaves: a `ReplicateDesign` whose
variance of a total is the linearised one. A jackknife would forget the second stage, which in a
county weighs as much as the first; a bootstrap would need a generator and thousands of columns.
Nothing is drawn here: the same design gives the same replicates.
"""

from __future__ import annotations

import numpy as np

from survey.cases.near_copies import Told, untold
from survey.estimation.linearization import deviations_of, gathered_back
from survey.sampling.design import Design, ReplicateDesign
from survey.weighting.replicates import hadamard

AT_ONCE = 32
REACH = 0.5
"""No replicate moves a weight by more than this share of it, so all stay positive."""


def balanced_replicates(
    design: Design, most: int = 256, told: Told = untold
) -> ReplicateDesign:
    """Replicates of the variance that linearisation gives, after Fay.

    Every linearised variance here is a sum of squares `sum_k (a_k' s)²` of scores `s = w·z`. Each
    `a_k` gets a row of a Hadamard matrix, and replicate r weighs row i by `1 + c sum_k H_kr a_ki`.

    Args:
        design: any; its lonely strata count as its policy says.
        most: columns at most, a power of two. With more squares than rows the later ones, of later
            stages, share rows with turning signs, and the variance is unbiased rather than equal.
        told: how many replicates of how many are done; whatever it raises ends the work.

    Returns:
        Weights that meet the same known totals; scale `1/(R c²)`, centred at the full sample.

    Source: Fay (1989), Theory and application of replicate weighting for variance calculations;
    Dippo, Fay & Morganstein (1984); R svrep `as_fays_gen_rep_design`.

    >>> design = Design(np.ones(4), psu=(np.array([1, 2, 3, 4]),))
    >>> made = balanced_replicates(design)
    >>> y = np.array([1.0, 2, 3, 6])
    >>> totals = y @ made.replicate_weights
    >>> bool(np.isclose(made.scale * ((totals - y.sum()) ** 2).sum(), 4 * y.var(ddof=1)))
    True
    """
    n = len(design)
    counts = [len(factor) for _, factor in deviations_of(np.zeros((n, 1)), design)]
    rows = hadamard(1 << int(min(most - 1, max(sum(counts), 1))).bit_length())
    n_replicates = rows.shape[1]
    square = np.arange(sum(counts))
    # A second square on a row meets the first with the other sign half of the time.
    turned = rows[1 + (square // (n_replicates - 1)) % (n_replicates - 1), square % n_replicates]
    sign = np.where(square < n_replicates - 1, 1.0, turned)[:, None]
    of_square = 1 + square % (n_replicates - 1)
    factors = np.empty((n, n_replicates))
    for start in range(0, n_replicates, AT_ONCE):
        told(start, n_replicates)
        some = slice(start, start + AT_ONCE)
        waves = np.split(rows[of_square, some] * sign, np.cumsum(counts)[:-1])
        factors[:, some] = gathered_back(waves, design)
    largest = np.abs(factors).max()
    reach = float(REACH / largest) if largest > 0 else 1.0
    return ReplicateDesign(
        design.weights,
        design.weights[:, None] * (1 + reach * factors),
        1 / (n_replicates * reach**2),
        np.ones(n_replicates),
        mse=True,
    )
