"""Where signatures come from: a passphrase each, from a file or a prompt, or a file from another computer."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import click

from survey.cli.session import read_file, write_file
from survey.jobs.remote_signing import AwaitingSignatureError, read_request
from survey.jobs.signers import OPERATOR, ROLES, TITLES, Signers, open_signers, request_for
from survey.settings import Settings

AWAITING = 3
"""The exit code of a command that waits for a signature from another computer."""


@dataclass
class Passphrases:
    """What a command was given to sign with; `open` is called once the settings are known."""

    given: dict[str, str]
    request_file: Path | None = None
    settings: Settings | None = field(default=None, repr=False)

    def open(self, settings: Settings) -> Signers:
        """Both signers."""
        self.settings = settings
        request = None
        if self.request_file is not None and self.request_file.is_file():
            request = read_request(read_file(self.request_file))
        return open_signers(settings, self.given, request)

    def ask(self, wave: str, waiting: AwaitingSignatureError) -> None:
        """Write the request for the approver, with their sealed half where there is one to open."""
        assert self.request_file is not None and self.settings is not None
        write_file(self.request_file, request_for(self.settings, wave, waiting).encoded())


def passphrase_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of both signers and hands the command `passphrases`."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        files = {role: kwargs.pop(f"{role}_passphrase_file") for role in ROLES}
        request_file = kwargs.pop("approver_request")
        asked: tuple[str, ...] = ROLES if request_file is None else (OPERATOR,)
        # A request to be signed here is no wave of ours: its signer is asked by the command itself.
        if Path(str(kwargs.get("wave", ""))).is_file():
            asked = ()
        given = Passphrases({role: _passphrase(role, files[role]) for role in asked}, request_file)
        try:
            return function(*args, passphrases=given, **kwargs)
        except AwaitingSignatureError as waiting:
            given.ask(kwargs["wave"], waiting)
            message = (
                f"还差签发的签名。把 {request_file} 交给签发，在那台电脑上运行 survey sign {request_file}，"
                "带回来放在原处，再运行一次刚才的命令。"
            )
            document = {"awaiting": "approver", "request": str(request_file), "wave": kwargs["wave"]}
            click.echo(json.dumps(document, ensure_ascii=False) if kwargs.get("as_json") else message)
            sys.exit(AWAITING)

    wrapped = click.option(
        "--approver-request",
        type=click.Path(path_type=Path),
        default=None,
        help="签发在别的电脑上签：请求文件写到（读自）这里 (request file for an approver elsewhere)",
    )(wrapped)
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
