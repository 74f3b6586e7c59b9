"""Columns made from other columns by a formula that a person wrote.

Enters: text such as `first(boys + girls, school_size)` and `Columns`. Leaves: the columns it
needs, and the new column. Only arithmetic, comparisons, and/or/not and the functions named below
are read; nothing is executed. Missing in gives missing out, except where a function says else.
A name that is no identifier stands in backquotes: `` `1、总体满意度` == '满意' ``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from survey.arrays import Flags, Floats
from survey.columns import Column, Columns, number_column
from survey.errors import SurveyError

_QUOTED = re.compile(r"`([^`\n]{1,200})`")
MAX_LENGTH = 20_000
MAX_DEPTH = 60


class FormulaError(SurveyError):
    """A formula over columns that cannot be read."""

    code = "cases.formula"
    kind = "invalid"


def _first(values: Sequence[Floats]) -> Floats:
    """The first that is not missing."""
    return reduce(lambda found, more: np.where(np.isnan(found), more, found), values)


def _same(values: Sequence[Floats]) -> Floats:
    """1 where all are equal, 0 where two differ; missing where one is missing."""
    table = np.vstack(values)
    return np.where(np.isnan(table).any(axis=0), np.nan, (table == table[0]).all(axis=0).astype(float))


def _sum(values: Sequence[Floats]) -> Floats:
    return np.asarray(np.sum(values, axis=0))


def _mean_of_present(values: Sequence[Floats]) -> Floats:
    """The mean of those present; missing where none is."""
    table = np.vstack(values)
    present = ~np.isnan(table)
    count = present.sum(axis=0)
    total = np.where(present, table, 0.0).sum(axis=0)
    mean = np.full(len(count), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _if(values: Sequence[Floats]) -> Floats:
    """The second where the first holds, the third (or missing) elsewhere."""
    other = values[2] if len(values) > 2 else np.full(len(values[0]), np.nan)
    return np.where(np.isnan(values[0]), np.nan, np.where(values[0] != 0, values[1], other))


FUNCTIONS: dict[str, tuple[Callable[[Sequence[Floats]], Floats], int, int]] = {
    "first": (_first, 1, 500),
    "same": (_same, 2, 500),
    "sum": (_sum, 1, 500),
    "mean": (_mean_of_present, 1, 500),
    "min": (lambda values: np.min(values, axis=0), 1, 500),
    "max": (lambda values: np.max(values, axis=0), 1, 500),
    "if_": (_if, 2, 3),
    "missing": (lambda values: np.isnan(values[0]).astype(float), 1, 1),
    "log": (lambda values: np.log(values[0]), 1, 1),
    "sqrt": (lambda values: np.sqrt(values[0]), 1, 1),
    "abs": (lambda values: np.abs(values[0]), 1, 1),
    "round": (lambda values: np.floor(values[0] + 0.5), 1, 1),
}
"""Name → what it does, fewest and most arguments."""
PARTIAL = ("log", "sqrt")
"""Functions that some numbers have no value under."""


@dataclass(frozen=True)
class Formula:
    """A formula that has been read, and the columns it speaks of."""

    name: str
    text: str
    tree: ast.expr
    names: dict[str, str]
    """Identifier in the tree → name of the column."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it needs, by name."""
        found = [
            node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name) and node.id not in FUNCTIONS
        ]
        return tuple(sorted({self.names.get(one, one) for one in found}))

    def column(self, columns: Columns) -> Column:
        """The new column over the rows of a file.

        Raises:
            FormulaError, UnknownColumnError, NotNumericError.
        """
        with np.errstate(all="ignore"):
            values = _Reader(self, columns).number(self.tree)
        return number_column(self.name, np.broadcast_to(values, len(columns)).astype(float), title=self.text)


def read_formula(name: str, text: str) -> Formula:
    """The formula of a derived column.

    Raises:
        FormulaError: not a formula, or too long or too deep.

    >>> read_formula("n", "first(boys + girls, `school size`)").columns
    ('boys', 'girls', 'school size')
    """
    names: dict[str, str] = {}

    def identifier(quoted: re.Match[str]) -> str:
        made = f"quoted_{len(names)}_"
        names[made] = quoted[1]
        return made

    plain = _QUOTED.sub(identifier, re.sub(r"\bif\(", "if_(", text.strip()))
    try:
        if len(plain) > MAX_LENGTH:
            raise ValueError
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _unread(name, text) from error
    if _depth(tree) > MAX_DEPTH or not all(_is_known(node) for node in ast.walk(tree)):
        raise _unread(name, text)
    return Formula(name, text, tree, names)


KNOWN_NODES = (
    ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.Call, ast.List, ast.Tuple,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip


def _is_known(node: ast.AST) -> bool:
    """Whether a node may stand in a formula at all; a call only of our own functions."""
    if isinstance(node, ast.Call):
        known = FUNCTIONS.get(node.func.id) if isinstance(node.func, ast.Name) else None
        return known is not None and not node.keywords and known[1] <= len(node.args) <= known[2]
    return isinstance(node, KNOWN_NODES)


def _depth(tree: ast.AST) -> int:
    deepest, waiting = 0, [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return deepest


def _unread(name: str, text: str) -> FormulaError:
    shown = text if len(text) <= 60 else text[:59] + "…"
    return FormulaError(
        f"derive里的“{name}”",
        f"看不懂“{shown}”",
        f"只用列名、数、四则运算、比较、and/or/not和{'、'.join(one.rstrip('_') for one in FUNCTIONS)}；特殊的列名用反引号括起来",
    )


COMPARISONS = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
ARITHMETIC = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}


@dataclass
class _Reader:
    """One evaluation of a formula over a file."""

    formula: Formula
    columns: Columns

    def number(self, node: ast.expr) -> Floats:
        """(n,) or scalar value of a node; NaN where missing."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return np.full(len(self.columns), float(node.value))
        if isinstance(node, ast.Name):
            return self.columns[self._called(node)].numbers()
        if isinstance(node, ast.UnaryOp):
            value = self.number(node.operand)
            if isinstance(node.op, ast.USub):
                return -value
            if isinstance(node.op, ast.UAdd):
                return value
            if isinstance(node.op, ast.Not):
                return np.where(np.isnan(value), np.nan, (value == 0).astype(float))
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            left, right = self.number(node.left), self.number(node.right)
            return self._finite(
                node, ARITHMETIC[type(node.op)](left, right), np.isnan(left) | np.isnan(right)
            )
        if isinstance(node, ast.BoolOp):
            values = np.vstack([self.number(one) for one in node.values])
            joined = (values != 0).all(axis=0) if isinstance(node.op, ast.And) else (values != 0).any(axis=0)
            return np.where(np.isnan(values).any(axis=0), np.nan, joined.astype(float))
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            given = [self.number(one) for one in node.args]
            made = FUNCTIONS[node.func.id][0](given)
            return self._finite(node, made, np.isnan(given[0])) if node.func.id in PARTIAL else made
        raise _unread(self.formula.name, ast.unparse(node))

    def _finite(self, node: ast.expr, values: Floats, absent: Flags) -> Floats:
        """The values, unless one came out infinite or undefined though nothing was missing."""
        if (wrong := ~np.isfinite(values) & ~absent).any():
            row = int(np.flatnonzero(wrong)[0]) + 1
            raise FormulaError(
                f"derive里的“{self.formula.name}”",
                f"“{ast.unparse(node)[:60]}”在第{row}条记录算不出有限的数",
                "除数不能是0，log要大于0；用if(…)把这样的记录另作处理",
                row=row,
            )
        return values

    def _called(self, node: ast.Name) -> str:
        return self.formula.names.get(node.id, node.id)

    def _compare(self, node: ast.Compare) -> Floats:
        if len(node.ops) != 1:
            raise _unread(self.formula.name, ast.unparse(node))
        left, op, right = node.left, node.ops[0], node.comparators[0]
        if (
            isinstance(op, ast.In | ast.NotIn)
            and isinstance(left, ast.Name)
            and isinstance(right, ast.List | ast.Tuple)
        ):
            texts = [str(one.value) for one in right.elts if isinstance(one, ast.Constant)]
            if len(texts) != len(right.elts):
                raise _unread(self.formula.name, ast.unparse(node))
            return self._texts(left, texts, isinstance(op, ast.In))
        if (
            isinstance(op, ast.Eq | ast.NotEq)
            and isinstance(left, ast.Name)
            and isinstance(right, ast.Constant)
            and isinstance(right.value, str)
        ):
            return self._texts(left, [right.value], isinstance(op, ast.Eq))
        if type(op) not in COMPARISONS:
            raise _unread(self.formula.name, ast.unparse(node))
        one, other = self.number(left), self.number(right)
        held = COMPARISONS[type(op)](one, other).astype(float)
        return np.where(np.isnan(one) | np.isnan(other), np.nan, held)

    def _texts(self, left: ast.Name, texts: list[str], inside: bool) -> Floats:
        column = self.columns[self._called(left)]
        held = column.is_one_of(texts)
        return np.where(column.is_missing, np.nan, (held == inside).astype(float))
