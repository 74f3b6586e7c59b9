"""The answering pages as bytes: drawn from templates, the forms once for everybody.

A look, a wave and a few texts enter, bytes leave. Forms are kept by (wave, instrument,
group, language, size) with two gaps: the school's name and the hidden fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from jinja2 import Environment

from survey.errors import Fault
from survey.sampling.sample import DomainDraw
from survey.web.respondent.look import Look
from survey.web.respondent.splice import SplicedPage, splice
from survey.web.respondent.views import FormView, form_view
from survey.web.respondent.waves import PUPILS, Place, Wave
from survey.web.respondent.words import SIZES
from survey.web.templating import environment

SCHOOL_GAP = "@school@"
HIDDEN_GAP = "@hidden@"
XLARGE = 2


class Pages:
    """Draws every page of the answering side and remembers the forms it has drawn."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._environment: Environment = environment()
        self._forms: dict[tuple[str, ...], SplicedPage] = {}

    def form(self, wave: Wave, draw: DomainDraw, look: Look, *, preview: bool = False) -> SplicedPage:
        """The empty form of a domain, compressed, with its two gaps (one without a school).

        Args:
            preview: say on every part that nothing is kept.
        """
        school = draw.school_code is not None
        stage, closes_on = str(draw.stage), str(wave.plan.closes_on)
        key = (
            *(wave.plan.wave, closes_on, draw.group, stage, str(school)),
            *(look.lang, str(look.size), str(preview)),
        )
        found = self._forms.get(key)
        if found is None:
            view = self._view(wave, draw, look, SCHOOL_GAP if school else "", HIDDEN_GAP)
            marks = (SCHOOL_GAP, HIDDEN_GAP) if school else (HIDDEN_GAP,)
            found = self._forms[key] = splice(self._draw_form(wave, draw, look, view, preview), *marks)
        return found

    def faulty_form(
        self,
        wave: Wave,
        draw: DomainDraw,
        look: Look,
        values: Mapping[str, Sequence[str]],
        faults: Sequence[Fault],
        hidden: bytes,
        *,
        preview: bool = False,
    ) -> bytes:
        """The form again with everything typed and the faults beside their items."""
        view = self._view(
            wave, draw, look, draw.school_name if draw.school_code else "", HIDDEN_GAP, values, faults
        )
        before, _, after = self._draw_form(wave, draw, look, view, preview).rpartition(HIDDEN_GAP)
        return before.encode() + hidden + after.encode()

    def page(self, template: str, look: Look, place: Place | Wave, title: str, **values: Any) -> bytes:
        """Any other page, with the frame that a wave or the whole installation gives it."""
        html = self._environment.get_template(f"respondent/{template}.html").render(
            **{**self._frame(look, place), **values, "title": title}
        )
        return html.encode()

    def _view(
        self,
        wave: Wave,
        draw: DomainDraw,
        look: Look,
        school: str,
        hidden: str,
        values: Mapping[str, Sequence[str]] | None = None,
        faults: Sequence[Fault] = (),
    ) -> FormView:
        instrument = wave.instrument(draw)
        return form_view(
            instrument,
            look.words,
            wave=wave.plan.wave,
            county=wave.plan.county,
            office=wave.plan.office,
            deadline=look.words.date(wave.plan.closes_on),
            version=version(instrument.digest),
            pupils=draw.group == PUPILS,
            child=instrument.layout == "child",
            one_per_screen=instrument.layout == "child" or look.size == XLARGE,
            school_gap=school,
            hidden_gap=hidden,
            values=values,
            faults=faults,
            sounds=(
                {name: wave.hear_at + name for name in wave.recordings} if draw.group == PUPILS else None
            ),
        )

    def _draw_form(
        self, wave: Wave, draw: DomainDraw, look: Look, view: FormView, preview: bool = False
    ) -> str:
        own = {
            "title": look.words("start.title", county=wave.plan.county),
            "child": view.child and look.size == 0,
            "pupil": view.pupils,
            "faulty": bool(view.faults),
            "head_script": True,
            "preview": preview,
            "thanks_address": "/s/thanks" + replace(look, child=view.pupils).query,
            "left_at": _left_at(wave, draw.group, preview),
            "form": view,
        }
        return self._environment.get_template("respondent/form.html").render(
            **{**self._frame(look, wave), **own}
        )

    def _frame(self, look: Look, place: Place | Wave) -> dict[str, Any]:
        """What the base template needs on every page."""
        words = look.words
        wave = place if isinstance(place, Wave) else None
        plan = wave.plan if wave else None
        county = place.plan.county if isinstance(place, Wave) else place.county
        return {
            "t": words,
            "size": look.size,
            "sizes": SIZES,
            "languages": place.languages,
            "child": look.child and look.size == 0,
            "pupil": look.child,
            "faulty": False,
            "head_script": False,
            "preview": False,
            "over": False,
            "kept": "&c=1" if look.child else "",
            "demonstration": plan.demonstration if plan else isinstance(place, Place) and place.demonstration,
            "place": words.plain(county) if county else words("title.form"),
            "phone": plan.telephone if plan else isinstance(place, Place) and place.telephone,
            "org": plan.office if plan else isinstance(place, Place) and place.office,
            "must_say": wave.must_say(words) if wave else None,
            "approval": plan.approval if plan else None,
            "host": self._host,
        }


def _left_at(wave: Wave, group: str, preview: bool) -> str:
    """Where a form that is left unsent is counted; empty where the plan does not ask for it."""
    return f"/s/left/{wave.plan.wave}/{group}/" if wave.plan.break_off and not preview else ""


def version(digest: str) -> str:
    """The instrument's version as the form carries it: enough of its digest to know it again."""
    return digest[:16]


def school_bytes(draw: DomainDraw) -> bytes:
    """The school's name as it may stand in a page."""
    return escape(draw.school_name).encode()


def hidden_bytes(key: str, stamp: str) -> bytes:
    """The hidden fields that differ on every page; both are hexadecimal digits of ours."""
    return (
        f'<input type="hidden" name="k" value="{key}"><input type="hidden" name="s" value="{stamp}">'.encode()
    )
