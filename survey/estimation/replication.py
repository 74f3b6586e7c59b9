"""Variance from replicate weights: the spread of the estimate over the replicates.

Enters: the estimate under every replicate weight. Leaves: its covariance. How replicates come
about is the weighting room's business (`weighting/replicates.py`).
"""

from __future__ import annotations

import numpy as np

from survey.arrays import Floats, ShapeError
from survey.sampling.design import ReplicateDesign


def replicate_covariance(thetas: Floats, values: Floats, design: ReplicateDesign) -> Floats:
    """`scale * sum_r rscales_r (theta_r - c)(theta_r - c)'`.

    Args:
        thetas: (R, p) estimates under each replicate weight; replicates without a value are NaN and
            leave the sum.
        values: (p,) full-sample estimates, the centre when `design.mse`; otherwise the replicates' mean.

    Returns:
        (p, p) covariance.

    Raises:
        ShapeError: as many thetas as replicates are needed.

    Source: Wolter (2007), ch. 3–4; R survey 4.5 `svrVar`.

    >>> jk = ReplicateDesign(np.ones(3), 1.5 * (1 - np.eye(3)), 2 / 3, np.ones(3))
    >>> replicate_covariance(np.array([[2.5], [2.0], [1.5]]), np.array([2.0]), jk)
    array([[0.33333333]])
    """
    if len(thetas) != len(design.rscales):
        raise ShapeError(
            "重复估计值", f"有{len(thetas)}个，重复权数有{len(design.rscales)}组", "两者的个数要相同"
        )
    usable = np.isfinite(thetas).all(axis=1)
    thetas, rscales = thetas[usable], design.rscales[usable]
    if design.mse:
        centre = values
    else:
        # R centres on the replicates that carry variance.
        centre = thetas[rscales > 0].mean(axis=0)
    deviation = thetas - centre
    return design.scale * (deviation.T @ (deviation * rscales[:, None]))
