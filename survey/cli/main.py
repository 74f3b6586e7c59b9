"""The command `survey`: one group, its verbs loaded when they are called."""

from __future__ import annotations

import importlib
import json
from typing import Any

import click

from survey import METHOD_VERSION, __version__

SECTIONS: dict[str, dict[str, str]] = {
    "先试一试，建起来 (set up)": {
        "demo": "survey.cli.demo",
        "init": "survey.cli.setting_up",
        "account": "survey.cli.setting_up",
        "division": "survey.cli.setting_up",
        "signer": "survey.cli.setting_up",
        "token": "survey.cli.setting_up",
        "webhook": "survey.cli.webhooks",
    },
    "准备一次调查 (prepare a wave)": {
        "waves": "survey.cli.planning",
        "plan": "survey.cli.planning",
        "instrument": "survey.cli.instrument",
        "language": "survey.cli.languages",
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
    },
    "收答卷 (field it)": {
        "publish": "survey.cli.fielding",
        "watch": "survey.cli.fielding",
        "pause": "survey.cli.fielding",
        "resume": "survey.cli.fielding",
        "extend": "survey.cli.guarding",
        "head": "survey.cli.keeping",
        "leftovers": "survey.cli.fielding",
        "close": "survey.cli.fielding",
    },
    "回访、提示、作废 (look after it)": {
        "callbacks": "survey.cli.calling_back",
        "alarms": "survey.cli.guarding",
        "flags": "survey.cli.estimating",
        "void": "survey.cli.guarding",
    },
    "开箱、计算、签发 (open, estimate, certify)": {
        "open": "survey.cli.concluding",
        "estimate": "survey.cli.estimating",
        "certify": "survey.cli.concluding",
        "report": "survey.cli.concluding",
        "pack": "survey.cli.concluding",
        "export": "survey.cli.concluding",
        "revoke": "survey.cli.guarding",
    },
    "各县、台账、专报 (follow up)": {
        "counties": "survey.cli.across",
        "ledger": "survey.cli.ledger",
        "digest": "survey.cli.across",
    },
    "核查、核验 (check)": {
        "auditor-bundle": "survey.cli.auditing",
        "audit": "survey.cli.auditing",
        "audit-trail": "survey.cli.keeping",
        "verify": "survey.cli.checking",
        "validate": "survey.cli.checking",
    },
    "别处收集的大份数据 (other data)": {
        "count": "survey.cli.counting",
    },
    "运行 (operate)": {
        "serve": "survey.cli.serving",
        "settings": "survey.cli.operating",
        "example": "survey.cli.operating",
        "completion": "survey.cli.operating",
        "backup": "survey.cli.backing_up",
        "restore": "survey.cli.backing_up",
        "due": "survey.cli.keeping",
        "erase": "survey.cli.keeping",
        "migrate": "survey.cli.setting_up",
    },
}
"""Every verb with the module it is loaded from, in the order of the work."""
VERBS = {verb: module for verbs in SECTIONS.values() for verb, module in verbs.items()}
AS_JSON = "survey.as_json"
EXIT_CODES = """\b
每个命令：-h 看用法；--json 标准输出里只有一个JSON，进度和提示在标准错误里。
退出码：0 做完了；1 拒绝，说明事情、原因、办法，--json 时带代码；2 命令写错；
3 等签发在别的电脑上签。check 有红的为1；verify、audit 和 validate 0全对、
1有不对、2读不出。
"""
"""What the help of the whole says last; the README says the same."""


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs under the heads of the work, each with its one Chinese sentence."""
        column = max(map(len, VERBS)) + 2
        for title, verbs in SECTIONS.items():
            formatter.write(f"\n{title}\n")
            for verb in verbs:
                command = self.get_command(ctx, verb)
                assert command is not None and command.help is not None
                formatter.write(f"  {verb:<{column}}{command.help.partition('。')[0]}\n")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, and whether one JSON document was asked for, before any of them can be mistyped."""
        ctx.meta[AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """The command's work; what ends it before it begins is told in JSON, too, where JSON was asked for."""
        try:
            return super().invoke(ctx)
        except click.UsageError as mistyped:
            _tell_refusal(ctx, "cli.usage", "命令", mistyped.format_message(), f"看 {ctx.info_name} --help")
            raise
        except click.Abort:
            _tell_refusal(ctx, "cli.aborted", "命令", "问到的没有输入，已经停下", "口令可以写在文件里，见 --help")
            raise


def _tell_refusal(ctx: click.Context, code: str, thing: str, reason: str, remedy: str) -> None:
    if ctx.meta[AS_JSON]:
        error = {"code": code, "thing": thing, "reason": reason, "remedy": remedy}
        click.echo(json.dumps({"error": error}, ensure_ascii=False, indent=1))


@click.group(cls=Verbs, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message=f"survey %(version)s, method version {METHOD_VERSION}")
def main() -> None:
    """教育满意度调查：从学校名册到可核验的满意度。

    A public satisfaction survey, from the school frame to a figure anyone can check.
    """
