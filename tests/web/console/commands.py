"""The commands at the foot of a page, and whether the command line takes them as they stand."""

from __future__ import annotations

import html
import re
import shlex

import click

from survey.cli.main import main


def commands_of(page: str) -> list[str]:
    """The lines under 等价命令."""
    found = re.search(r"<h2>等价命令</h2>\s*<pre[^>]*><code>(.*?)</code>", page, re.DOTALL)
    return html.unescape(found[1]).splitlines() if found else []


def refused(line: str) -> str | None:
    """What the command line has against a line, parsed to its end without doing anything; None for nothing."""
    program, *words = shlex.split(line)
    if program != "survey":
        return f"{line}: no command of ours"
    name, command, above = program, main, None
    try:
        while True:
            above = command.make_context(name, list(words), parent=above)
            if not isinstance(command, click.Group):
                return None
            name, command, words = command.resolve_command(above, words)  # no group of ours has options
    except (click.ClickException, click.exceptions.Exit) as error:
        return f"{line}: {error}"
