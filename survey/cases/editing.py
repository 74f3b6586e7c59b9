"""Edits flag, never overwrite: values out of range, answers off the path, counted per domain.

What enters is a case file; what leaves is counts. The intake has refused such answers already,
so a count above zero says that something went round it, and is shown beside the results. There
is no edit for speed or for sameness of answers: those are indicators of a domain (`indicators`),
never of a person, and no answer is left out for them.
"""

from __future__ import annotations

from dataclasses import dataclass

from survey.cases.case_file import CaseFile
from survey.cases.item_nonresponse import silence
from survey.scheme.routing import on_path


@dataclass(frozen=True)
class EditCounts:
    """What the edits saw in one domain."""

    domain: str
    out_of_range: int
    answered_off_path: int
    unknown_item: int

    @property
    def any(self) -> bool:
        """Whether anything was seen at all."""
        return bool(self.out_of_range or self.answered_off_path or self.unknown_item)


def edit_counts(case_file: CaseFile) -> tuple[EditCounts, ...]:
    """Edits of every domain in which something was seen, by domain."""
    seen: dict[str, list[int]] = {}
    for case in case_file.cases:
        instrument = case_file.instruments.get(case.domain)
        if instrument is None:
            continue
        path = on_path(instrument, case.answers)
        counts = seen.setdefault(case.domain, [0, 0, 0])
        for name, answer in case.answers.items():
            item = instrument.by_id.get(name)
            if item is None:
                counts[2] += 1
            elif item.id not in path:
                counts[1] += answer is not None
            else:
                counts[0] += silence(item, answer, True) == "unreadable"
    rows = (EditCounts(domain, *counts) for domain, counts in sorted(seen.items()))
    return tuple(row for row in rows if row.any)
