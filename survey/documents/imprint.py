"""What every sheet of a wave has in common: who asks, until when, whom to call.

A plan and its scheme enter; the facts that posters, slips and covers share leave, with the
words of dates and groups as paper says them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import msgspec

from survey.documents.emblem import emblem_of
from survey.errors import SurveyError
from survey.scheme.catalogue import ui_key
from survey.scheme.paper_words import PaperWords
from survey.scheme.plan import Approval, Plan
from survey.scheme.plan_words import STAGE_NAMES
from survey.scheme.scheme import Scheme

GROUPS = {
    "parent": "家长",
    "teacher": "教师",
    "principal": "校长",
    "student": "学生",
    "deputy": "人大代表",
    "cppcc": "政协委员",
    "public": "群众",
}


@dataclass(frozen=True)
class Imprint:
    """The facts printed on every sheet of a wave."""

    county: str
    office: str
    telephone: str
    base_url: str
    closes_on: date
    plan_code: str = ""
    """26 Crockford signs, with or without dashes; empty before the plan is signed."""
    must_say: str = ""
    """The sentence the scheme wants on every sheet, in Chinese."""
    must_say_in: Mapping[str, str] = field(default_factory=dict)
    """The same by language, with a hole for the office; a catalogue may hold more languages."""
    demonstration: bool = False
    approval: Approval | None = None
    emblem: bytes = b""
    """A PNG that `emblem.safe_raster` made; empty for none."""
    words: PaperWords = PaperWords()
    """The language of the sheets."""

    @property
    def host(self) -> str:
        """The host as people read and type it, with its port where it has one."""
        return self.base_url.partition("://")[2].strip("/")

    @property
    def printed_code(self) -> str:
        """The plan code as printed, in groups of four with dashes."""
        return grouped(self.plan_code.replace("-", "")).replace(" ", "-")

    @property
    def deadline(self) -> str:
        """The closing date as paper says it, such as 12月5日."""
        return self.words.date(self.closes_on)

    @property
    def approval_lines(self) -> list[tuple[str, str]]:
        """Label and value of each line of the approval, in the order of an approved form."""
        if self.approval is None:
            return []
        labels = self.words.texts["approval_box"]
        values = msgspec.structs.asdict(self.approval)
        return [(label, self.words.apart(values[name])) for name, label in labels.items() if values[name]]

    @property
    def own_must_say(self) -> str:
        """That sentence in the language of the sheets, as far as somebody has put it into that."""
        words = self.words
        if words.lang == "zh" or not self.must_say_in:
            return words.apart(self.must_say)
        return words.fill(words.source(ui_key("must_say"), self.must_say_in), office=self.office)

    def link(self, path: str) -> str:
        """The full link of a path such as `/s`."""
        return f"{self.base_url.rstrip('/')}/{path.lstrip('/')}"


class UnknownPaperError(SurveyError):
    """No such paper size."""

    code = "documents.unknown_paper"
    kind = "invalid"

    def __init__(self, paper: str, known: tuple[str, ...]) -> None:
        super().__init__(f"纸张“{paper}”", "没有这种尺寸的版式", f"可选：{'、'.join(known)}")


def shared(imprint: Imprint) -> dict[str, object]:
    """What every template needs of an imprint, whatever it prints."""
    words = imprint.words
    return {
        **words.setting,
        "head": words.survey(imprint.county),
        "must_say": imprint.own_must_say,
        "plan_code": imprint.printed_code,
        "plan_code_label": words.texts["plan_code"],
        "demonstration": words.texts["demonstration"] if imprint.demonstration else "",
        "emblem": list(imprint.emblem),
    }


def imprint_of(plan: Plan, scheme: Scheme, plan_code: str = "") -> Imprint:
    """The imprint of a wave, from its plan and scheme."""
    return Imprint(
        county=plan.county,
        office=plan.office,
        telephone=plan.telephone,
        base_url=plan.base_url,
        closes_on=plan.closes_on,
        plan_code=plan_code,
        must_say=scheme.must_say(plan.office),
        must_say_in=scheme.document["purpose"]["must_say"],
        demonstration=plan.demonstration,
        approval=plan.approval,
        emblem=emblem_of(plan),
    )


def grouped(signs: str) -> str:
    """Signs in groups of four, so that two people can compare them aloud.

    >>> grouped("af94b898c7")
    'af94 b898 c7'
    """
    return " ".join(signs[start : start + 4] for start in range(0, len(signs), 4))


def group_name(group: str) -> str:
    """A respondent group in Chinese; a text that is no key stays as it is.

    >>> group_name("parent"), group_name("家长")
    ('家长', '家长')
    """
    return GROUPS.get(group, group)


def stage_name(stage: str) -> str:
    """A school stage in Chinese; a text that is no key stays as it is."""
    return STAGE_NAMES.get(stage, stage)
