"""What every page of the console shares: who is signed in, where one is, as of when, which command.

The foot of a page names the command that shows or does the same, so that an office learns the
command line by using the pages (UX section 15).
"""

from typing import Any

from litestar import Response

from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.scheme.plan import Plan
from survey.storage.plans import WaveRow
from survey.web.access import form_key, person_of
from survey.web.pages import AnyRequest, html
from survey.web.rights import ROLES, has_right

ORDER = (
    "draft",
    "framed",
    "drawn",
    "planned",
    "open",
    "paused",
    "closed",
    "opened",
    "estimated",
    "certified",
)
"""States of a wave, in the order a wave goes through them."""

GROUPS = GROUP_NAMES

AFTER_OPENING = frozenset({"opened", "estimated", "certified"})
"""States in which a satisfaction figure may stand on a page; before them none exists."""

PUBLISHED = frozenset({"planned", "open", "paused", "closed", *AFTER_OPENING})
"""States in which slips exist and participation can be counted."""


def state_reached(state: str, wanted: str) -> bool:
    """Whether a wave in `state` has reached `wanted`; paused counts as open."""
    return ORDER.index(state) >= ORDER.index(wanted)


def console_page(
    request: AnyRequest,
    template: str,
    *,
    title: str,
    crumbs: tuple[tuple[str, str], ...] = (),
    command: str,
    only_here: str = "",
    row: WaveRow | None = None,
    status: int = 200,
    **context: Any,
) -> Response[str]:
    """A console page.

    Args:
        template: its file under templates/console.
        title: its only h1, and the start of the window's title.
        crumbs: (text, address) of the pages above it, outermost first, without itself.
        command: the same as a command, shown at the foot.
        only_here: where there is none, why it is done on the page alone.
        row: the wave the page is about; a demonstration is said on every such page.
    """
    person = person_of(request)
    state = request.app.state
    return html(
        f"console/{template}",
        status,
        title=title,
        crumbs=crumbs,
        command=command,
        only_here=only_here,
        wave=row,
        state_name=row.state_name if row else "",
        person=person,
        roles="、".join(ROLES[role] for role in ROLES if role in person.roles),
        form_key=form_key(request),
        as_of=state.now(),
        can=lambda right: has_right(person, right),
        here_address=_section(request.url.path),
        stops_for_commands=state.settings.database_url is None,
        **context,
    )


def _section(path: str) -> str:
    """The address as the main links know it: a plan that is being written belongs to the waves.

    >>> _section("/console/setup/7/2"), _section("/console/people")
    ('/console/waves/setup/7/2', '/console/people')
    """
    for inside, section in (("setup", "waves"), ("outside", "waves"), ("digest", "counties"), ("webhooks", "people")):
        if path.startswith(f"/console/{inside}"):
            return f"/console/{section}/{path.removeprefix('/console/')}"
    return path


SCHOOLS_ON_A_PAGE = 100
"""Schools shown at once, so that a page of a county of a thousand stays light."""


def wave_crumbs(row: WaveRow) -> tuple[tuple[str, str], ...]:
    """The way from the list of waves to the pages of one wave."""
    return (("调查", "/console/waves"), (row.title, f"/console/waves/{row.wave}"))


def group_names(plan: Plan) -> dict[str, str]:
    """The respondent groups of a plan with their names, in the plan's order."""
    return {group.group: GROUPS.get(group.group, group.group) for group in plan.groups}
