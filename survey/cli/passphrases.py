"""Where the passphrases of the two signers come from: a file each, or a prompt each."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from survey.cli.session import read_file
from survey.jobs.signers import ROLES, TITLES


def passphrase_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds one option a role and hands the command `passphrases` by role."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        given = {role: kwargs.pop(f"{role}_passphrase_file") for role in ROLES}
        return function(*args, passphrases={role: _passphrase(role, given[role]) for role in ROLES}, **kwargs)

    for role in reversed(ROLES):
        wrapped = click.option(
            f"--{role}-passphrase-file",
            type=click.Path(path_type=Path),
            envvar=f"SURVEY_{role.upper()}_PASSPHRASE_FILE",
            help=f"{TITLES[role]}口令所在的文件，不给就当面输入 (file with the {role}'s passphrase)",
        )(wrapped)
    return wrapped


def _passphrase(role: str, path: Path | None) -> str:
    if path is not None:
        return read_file(path).decode("utf-8", "replace").rstrip("\r\n")
    return str(click.prompt(f"{TITLES[role]}口令 ({role} passphrase)", hide_input=True, err=True))
