"""Every public formula says its shapes, ranges, errors, its source and the R call that it equals."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = Path(__file__).parents[2] / "survey"
FORMULAS = (
    *(
        f"sampling/{name}"
        for name in ("allocation", "decision", "expected_precision", "joint_probabilities", "lonely")
    ),
    *(f"sampling/{name}" for name in ("multistage", "sample_size", "selection")),
    *(f"weighting/{name}" for name in ("calibration", "design_weights", "diagnostics", "margins")),
    *(f"weighting/{name}" for name in ("nonresponse", "replicates", "trimming")),
    "weighting/cell_raking",
    *(f"estimation/{name}" for name in ("cell_rates", "cell_totals")),
    *(f"estimation/{name}" for name in ("census", "comparison", "composite", "design_effect")),
    *(f"estimation/{name}" for name in ("disclosure_audit", "intervals", "linearization", "means")),
    *(f"estimation/{name}" for name in ("quantiles", "replication", "scores", "table_tests", "totals")),
    "estimation/unequal_probability",
)
"""Modules of formulas. What turns a plan into a wave (`wave_…`, `results`) has words instead of sources."""


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for module in FORMULAS:
        tree = ast.parse((ROOMS / f"{module}.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield f"{module}.{node.name}", node


def lacks(node: ast.FunctionDef) -> list[str]:
    """What a reader would miss in a function's docstring."""
    text = ast.get_docstring(node) or ""
    named = set(re.findall(r"\w+", text.partition("Args:")[2].partition("\n\n")[0]))
    arguments = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    missing = [f"argument {name}" for name in arguments if name not in named]
    returned = ast.unparse(node.returns) if node.returns else ""
    if re.search(r"Floats|Ints|Flags|tuple|dict|list|\| None", returned) and "Returns:" not in text:
        missing.append("Returns")
    raised = {
        ast.unparse(one.exc.func)
        for one in ast.walk(node)
        if isinstance(one, ast.Raise) and isinstance(one.exc, ast.Call)
    }
    missing += [f"Raises {name}" for name in sorted(raised) if name not in text]
    if "Source:" not in text:
        missing.append("Source")
    if not re.search(r"\bR\b|PracTools|`R`", text.partition("Source:")[2]):
        missing.append("the R call, or that R has none")
    return missing


@pytest.mark.parametrize(("name", "node"), list(functions()), ids=[name for name, _ in functions()])
def test_a_public_formula_says_arguments_errors_source_and_the_r_call(name, node):
    assert lacks(node) == []


def test_a_docstring_that_says_nothing_is_noticed():
    silent = ast.parse('def f(x) -> Floats:\n    """Something."""\n    raise ShapeError("a")').body[0]

    assert lacks(silent) == [
        "argument x",
        "Returns",
        "Raises ShapeError",
        "Source",
        "the R call, or that R has none",
    ]
