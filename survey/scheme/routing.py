"""Which items lie on a respondent's path, from the answers so far.

A condition is data, never code: `{item: PA21, in: [1]}`, `{item: PA21, not_in: [98]}`, or
`{all: […]}` and `{any: […]}` of such. It may name earlier items only, so one pass in order
decides. A condition on an item that was skipped or lies off the path does not hold, either
way round: nothing is asked because of an answer that was never given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survey.scheme.instrument import Instrument


def on_path(instrument: Instrument, answers: Mapping[str, Any]) -> frozenset[str]:
    """The ids of the items this respondent is asked.

    Args:
        answers: values by item id; absent or None means unanswered.
    """
    path = instrument.always_asked
    for item in instrument.sometimes_asked:
        # A condition names earlier items only, so the later ones on the path so far do not matter.
        if item.show_if is None or holds(item.show_if, {name: answers.get(name) for name in path}):
            path |= {item.id}
    return path


def holds(condition: Mapping[str, Any], answers: Mapping[str, Any]) -> bool:
    """Whether a condition holds for the answers given.

    >>> holds({"item": "PA21", "in": [1]}, {"PA21": 1}), holds({"item": "PA21", "not_in": [1]}, {})
    (True, False)
    >>> holds({"any": [{"item": "A", "in": [1]}, {"item": "B", "in": [2]}]}, {"B": [2, 3]})
    True
    """
    if "all" in condition:
        return all(holds(part, answers) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, answers) for part in condition["any"])
    value = answers.get(condition["item"])
    if value is None:
        return False
    given = value if isinstance(value, (list, tuple)) else [value]
    if "in" in condition:
        return any(one in condition["in"] for one in given)
    return all(one not in condition["not_in"] for one in given)
