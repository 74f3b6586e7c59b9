"""The command `survey`: one group, its verbs loaded when they are called."""

from __future__ import annotations

import importlib

import click

from survey import METHOD_VERSION, __version__

VERBS = {
    "demo": "survey.cli.demo",
    "serve": "survey.cli.serving",
    "init": "survey.cli.setting_up",
    "account": "survey.cli.setting_up",
    "division": "survey.cli.setting_up",
    "signer": "survey.cli.setting_up",
    "token": "survey.cli.setting_up",
    "webhook": "survey.cli.webhooks",
    "migrate": "survey.cli.setting_up",
    "instrument": "survey.cli.instrument",
    "language": "survey.cli.languages",
    "waves": "survey.cli.planning",
    "plan": "survey.cli.planning",
    "import": "survey.cli.planning",
    "areas": "survey.cli.placing",
    "design": "survey.cli.guarding",
    "draw": "survey.cli.planning",
    "canaries": "survey.cli.guarding",
    "sign": "survey.cli.planning",
    "papers": "survey.cli.printing",
    "slips": "survey.cli.printing",
    "posters": "survey.cli.printing",
    "check": "survey.cli.launching",
    "publish": "survey.cli.fielding",
    "pause": "survey.cli.fielding",
    "resume": "survey.cli.fielding",
    "watch": "survey.cli.fielding",
    "extend": "survey.cli.guarding",
    "head": "survey.cli.keeping",
    "leftovers": "survey.cli.fielding",
    "close": "survey.cli.fielding",
    "callbacks": "survey.cli.calling_back",
    "alarms": "survey.cli.guarding",
    "void": "survey.cli.guarding",
    "open": "survey.cli.concluding",
    "estimate": "survey.cli.estimating",
    "flags": "survey.cli.estimating",
    "count": "survey.cli.counting",
    "certify": "survey.cli.concluding",
    "report": "survey.cli.concluding",
    "pack": "survey.cli.concluding",
    "export": "survey.cli.concluding",
    "ledger": "survey.cli.ledger",
    "counties": "survey.cli.across",
    "digest": "survey.cli.across",
    "auditor-bundle": "survey.cli.auditing",
    "audit": "survey.cli.auditing",
    "revoke": "survey.cli.guarding",
    "audit-trail": "survey.cli.keeping",
    "due": "survey.cli.keeping",
    "erase": "survey.cli.keeping",
    "backup": "survey.cli.backing_up",
    "restore": "survey.cli.backing_up",
    "settings": "survey.cli.operating",
    "example": "survey.cli.operating",
    "completion": "survey.cli.operating",
    "verify": "survey.cli.checking",
    "validate": "survey.cli.checking",
}


class Verbs(click.Group):
    """Commands found by name, so that `survey verify` never loads the server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order of the work."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, its module imported now."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(VERBS[cmd_name])
        return getattr(module, f"{cmd_name.replace('-', '_')}_command")


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message=f"survey %(version)s, method version {METHOD_VERSION}")
def main() -> None:
    """教育满意度调查：从学校名册到可核验的满意度。

    A public satisfaction survey, from the school frame to a figure anyone can check.
    """
