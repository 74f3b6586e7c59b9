"""The schemes that come with the product, and schemes a county has adopted.

A scheme enters as YAML or JSON and leaves as a `Scheme`, checked against its JSON Schema
and against what a schema cannot say. A preset is never an official survey: each carries
the sentence that says so, and a file without it is refused.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from survey.errors import Fault, FaultsError, SurveyError
from survey.scheme.scales import load_scales
from survey.scheme.schema_check import schema_faults
from survey.scheme.scheme import Scheme
from survey.scheme.yaml_text import read_plain

ORDER = (
    "quality_balance_2017",
    "basic_balance_2012",
    "basic_balance_guangdong",
    "basic_balance_hainan",
    "preschool_2020_henan",
    "preschool_2020_ningxia",
    "preschool_2020_yunnan",
    "preschool_variant_2024",
    "duties_evaluation_county",
    "duties_evaluation_city",
    "duties_evaluation_province",
    "modernisation_jiangsu_2014",
    "self_monitoring",
)


class UnknownSchemeError(SurveyError):
    """No preset has this name."""

    code = "scheme.unknown"
    kind = "not_found"

    def __init__(self, scheme: str) -> None:
        super().__init__(f"方案“{scheme}”", "没有这个方案", f"可选：{'、'.join(ORDER)}")


def list_schemes() -> tuple[str, ...]:
    """The names of the presets, in the order a page lists them."""
    return ORDER


@cache
def load_scheme(scheme: str) -> Scheme:
    """The preset named `scheme`.

    Raises:
        UnknownSchemeError: there is no such preset.

    >>> load_scheme("preschool_2020_henan").requirement.line
    Line(edge='above', threshold='0.85')
    """
    if scheme not in ORDER:
        raise UnknownSchemeError(scheme)
    return read_scheme((files("survey.scheme") / "data" / "schemes" / f"{scheme}.yaml").read_bytes())


def read_scheme(text: str | bytes | dict[str, Any]) -> Scheme:
    """The scheme written in YAML or JSON, or in a document stored earlier.

    Raises:
        FaultsError: every fault at once, each naming its place, such as `figure.formula`.
    """
    document = text if isinstance(text, dict) else read_plain(text, "方案")
    name = str(document.get("scheme", "")) if isinstance(document, dict) else ""
    thing = f"方案“{name}”" if name else "方案"
    faults = schema_faults(document, "schemes", "scheme.schema.json", "scheme.invalid")
    if faults:
        raise FaultsError(thing, _without_echoes(faults))
    faults = (*_scale_faults(document), *_figure_faults(document))
    if faults:
        raise FaultsError(thing, faults)
    return Scheme.of(document)


def _without_echoes(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    # Where the formula is missing, the schema's conditions on it speak too; one fault is enough.
    if not any(fault.item in ("figure.formula", "figure") for fault in faults):
        return faults
    return tuple(
        fault
        for fault in faults
        if not (fault.item or "").endswith(".points") and fault.item not in ("figure.base", "pupils")
    )


def _scale_faults(document: dict[str, Any]) -> tuple[Fault, ...]:
    """Scales and options the scheme names without anybody defining them."""
    own = document["answers"].get("own_scales", {})
    faults = []
    for name, entry in document["answers"]["scales"].items():
        place = f"answers.scales.{name}"
        if name not in own and name not in load_scales():
            faults.append(
                Fault(
                    "scheme.unknown_scale",
                    f"没有“{name}”这组选项",
                    "检查拼写，或在own_scales里定义",
                    item=place,
                )
            )
            continue
        keys = _keys(own.get(name), name)
        for key in [*entry["satisfied"], *(entry["points"] if isinstance(entry.get("points"), dict) else ())]:
            if key not in keys:
                faults.append(
                    Fault(
                        "scheme.unknown_option",
                        f"“{name}”里没有选项“{key}”",
                        f"可选：{'、'.join(keys)}",
                        item=place,
                    )
                )
    return tuple(faults)


def _keys(own: Any, name: str) -> list[str]:
    if own is None:
        return [option.key for option in load_scales()[name].options]
    if isinstance(own, dict):
        return [str(number) for number in range(own["from"], own["to"] + 1)]
    return [option["key"] for option in own]


def _figure_faults(document: dict[str, Any]) -> tuple[Fault, ...]:
    faults = []
    if document["figure"]["formula"] == "share" and document["answers"]["dont_know"] == "middle":
        faults.append(
            Fault(
                "scheme.middle_of_a_share",
                "算占比时，“不了解”不能放在中间",
                "写成left_out（不进分母）或not_satisfied（进分母，不算满意）",
                item="answers.dont_know",
            )
        )
    asked = {group["id"] for group in document["respondent_groups"]}
    forms = {form["id"] for form in document["instruments"]}
    for group in document["respondent_groups"]:
        if group["instrument"] not in forms:
            faults.append(
                Fault(
                    "scheme.unknown_form",
                    f"没有“{group['instrument']}”这套问卷",
                    f"可选：{'、'.join(sorted(forms))}",
                    item=f"respondent_groups.{group['id']}.instrument",
                )
            )
    named = [group for share in document["allocation"]["shares"] for group in share["groups"]]
    named += [
        g for category in document["allocation"].get("about_equal", {}).get("among", ()) for g in category
    ]
    for group in sorted(set(named) - asked):
        faults.append(
            Fault(
                "scheme.group_not_asked",
                f"比例里写了“{group}”，但不问这一类人",
                "补上这一类人，或从比例里去掉",
                item="allocation",
            )
        )
    return tuple(faults)
