"""Variance of one-stage samples drawn with unequal probabilities without replacement.

Enters: scores u = w·z and a `PpsDesign`. Leaves: their covariance. With the joint probabilities
at hand it is Horvitz–Thompson's or Sen–Yates–Grundy's; without them Brewer's weights residuals by
1 - π, while Overton's and Hartley–Rao's put a formula in the place of the joint probability.
"""

from __future__ import annotations

import numpy as np

from survey.arrays import Floats, RangeError, ShapeError, codes, group_sums
from survey.errors import SurveyError
from survey.sampling.design import PpsDesign


class JointProbabilityError(SurveyError):
    """Joint inclusion probabilities are needed and missing, or zero where a variance needs them."""

    code = "estimation.joint_probability"
    kind = "invalid"


def pps_covariance(scores: Floats, design: PpsDesign) -> Floats:
    """(p, p) covariance of the sums of scores under a PPS design.

    Args:
        scores: (n, p) w·z, zero outside the domain.
        design: one stage drawn with unequal probabilities.

    Returns:
        (p, p) covariance; Horvitz–Thompson may be negative on the diagonal.

    Raises:
        JointProbabilityError: method `joint` without a matrix, or with a zero in it.
        ShapeError: another number of rows than the design. RangeError: an unknown method.

    Source: Särndal, Swensson & Wretman (1992), eq. 2.8.3 and 3.6.1; Brewer (2002), eq. 9.6; Hartley &
    Rao (1962); R survey 4.5 `svydesign(pps = "brewer" | "overton" | HR() | ppsmat())`.
    """
    if scores.shape[0] != len(design):
        raise ShapeError("得分", f"有{scores.shape[0]}行，设计有{len(design)}行", "两者行数要相同")
    if design.method == "brewer":
        return _brewer(scores, design)
    check = _delta_check(design)
    if design.variance == "YG":
        return scores.T @ (check.sum(axis=1)[:, None] * -scores) + scores.T @ check @ scores
    return scores.T @ check @ scores


def _brewer(scores: Floats, design: PpsDesign) -> Floats:
    stratum = np.zeros(len(design), dtype=np.int64) if design.stratum is None else codes(design.stratum)[0]
    n_strata = int(stratum.max()) + 1
    n = np.bincount(stratum, minlength=n_strata).astype(float)
    residual = scores - (group_sums(scores, stratum, n_strata) / n[:, None])[stratum]
    factor = ((1 - design.probability) * (n / np.maximum(n - 1, 1))[stratum])[:, None]
    return residual.T @ (residual * factor)


def _delta_check(design: PpsDesign) -> Floats:
    """(n, n) `(π_ij - π_i π_j)/π_ij`, with `1 - π_i` on the diagonal."""
    p = design.probability
    n = float(len(p))
    if design.method == "poisson":
        return np.diag(1 - p)
    if design.method == "overton":
        check = 1 - (n - (p[:, None] + p[None, :]) / 2) / (n - 1)
    elif design.method == "hartley_rao":
        # The population value of sum π²/n; from the sample it is estimated by the mean of π.
        square = design.sum_p2_over_n if design.sum_p2_over_n is not None else float(p.sum() / n)
        check = 1 - (n - p[:, None] - p[None, :] + square) / (n - 1)
    elif design.method == "joint":
        if design.joint is None:
            raise JointProbabilityError("联合入样概率", "没有给出", "给出方阵，或者改用brewer近似")
        joint = np.asarray(design.joint, dtype=np.float64)
        if (joint <= 0).any():
            raise JointProbabilityError("联合入样概率", "有不大于0的值，方差没有无偏估计", "改用brewer近似")
        check = 1 - p[:, None] * p[None, :] / joint
    else:
        raise RangeError(
            "方差方法", f"没有“{design.method}”这一种", "请从brewer、overton、hartley_rao、poisson、joint中选"
        )
    np.fill_diagonal(check, 1 - p)
    return check
