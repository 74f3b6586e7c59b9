"""Where each value of a scheme comes from: found, derived, unverified or chosen.

A mark reaches a value by its path; the longest path that fits holds, `*` stands for any one
entry, and named entries of a list are addressed by `id`. Nothing marked unverified may
decide a figure before a named person has confirmed it; a value somebody changed becomes
chosen, with name and reason (`adopt`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from survey.errors import SurveyError
from survey.scheme.presets import read_scheme
from survey.scheme.scheme import Scheme

MARKED = (
    "purpose",
    "respondent_groups",
    "instruments",
    "sample_size",
    "allocation",
    "selection",
    "fieldwork",
    "answers",
    "figure",
    "requirement",
    "returns",
    "quality",
    "secrecy",
    "pupils",
    "monitoring",
)


class UnknownPathError(SurveyError):
    """The scheme has no value there."""

    code = "scheme.unknown_path"
    kind = "not_found"

    def __init__(self, scheme: str, path: str) -> None:
        super().__init__(f"方案“{scheme}”", f"没有“{path}”这个值", "检查路径的拼写")


@dataclass(frozen=True)
class Mark:
    """One mark with its source, quoted words and note."""

    of: str
    mark: Literal["found", "derived", "unverified", "chosen"]
    source: str | None = None
    words: str | None = None
    note: str | None = None


def marks(scheme: Scheme) -> tuple[Mark, ...]:
    """The marks of a scheme in the order of its file."""
    return tuple(Mark(**entry) for entry in scheme.document["marks"])


def values(scheme: Scheme) -> Iterator[tuple[str, Any]]:
    """Every single value from purpose to monitoring, with its path."""
    for section in MARKED:
        if section in scheme.document:
            yield from _leaves(scheme.document[section], section)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for place, part in enumerate(value, start=1):
            named = isinstance(part, Mapping) and "id" in part
            yield from _leaves(part, f"{path}.{part['id'] if named else place}")
    else:
        yield path, value


def mark_of(scheme: Scheme, path: str) -> Mark | None:
    """The mark that holds at `path`: the longest that fits; of two alike, the plainer one.

    >>> from survey.scheme.presets import load_scheme
    >>> mark_of(load_scheme("quality_balance_2017"), "respondent_groups.parent.frame").mark
    'chosen'
    """
    parts = path.split(".")
    fitting = [mark for mark in marks(scheme) if _fits(mark.of.split("."), parts)]
    return max(fitting, key=lambda mark: (mark.of.count("."), -mark.of.count("*")), default=None)


def _fits(pattern: list[str], parts: list[str]) -> bool:
    return len(pattern) <= len(parts) and all(
        one in ("*", part) for one, part in zip(pattern, parts, strict=False)
    )


def unverified(scheme: Scheme, confirmed: Mapping[str, str]) -> tuple[Mark, ...]:
    """Marks whose value a named person still has to confirm.

    Args:
        confirmed: path of the mark to the person's name; an empty name confirms nothing.
    """
    return tuple(
        mark for mark in marks(scheme) if mark.mark == "unverified" and not confirmed.get(mark.of, "").strip()
    )


def adopt(scheme: Scheme, version: str, changes: Mapping[str, Any], person: str, reason: str) -> Scheme:
    """The county's own copy of a scheme, each changed value marked chosen by a person.

    Args:
        version: of the adopted file, higher than the copied one.
        changes: path to new value; entries of lists by `id`.

    Raises:
        UnknownPathError: a path leads nowhere.
        FaultsError: the changed scheme no longer holds together.
    """
    document = _copy(scheme.document)
    document["status"], document["version"] = "adopted", version
    for path, value in changes.items():
        _put(document, path.split("."), value, scheme.id, path)
        note = f"{person}：{reason}"
        document["marks"] = [entry for entry in document["marks"] if entry["of"] != path]
        document["marks"].append({"of": path, "mark": "chosen", "note": note})
    return read_scheme(document)


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(part) for key, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value


def _put(document: Any, parts: list[str], value: Any, scheme: str, path: str) -> None:
    for part in parts[:-1]:
        document = _step(document, part, scheme, path)
    if not isinstance(document, dict) or parts[-1] not in document:
        raise UnknownPathError(scheme, path)
    document[parts[-1]] = value


def _step(value: Any, part: str, scheme: str, path: str) -> Any:
    if isinstance(value, dict) and part in value:
        return value[part]
    if isinstance(value, list):
        for entry in value:
            if isinstance(entry, dict) and entry.get("id") == part:
                return entry
    raise UnknownPathError(scheme, path)
