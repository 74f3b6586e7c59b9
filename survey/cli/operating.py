"""Commands for whoever runs the machine: settings in force, example files, completion."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from survey.cli.session import command_options, emit
from survey.settings import VARIABLES, effective_settings, load_settings, unknown_variables

EXAMPLES = {
    "systemd": ("survey.service", "survey-backup.service", "survey-backup.timer"),
    "nginx": ("nginx.conf",),
    "caddy": ("Caddyfile",),
    "compose": ("compose.yaml",),
}


@click.command("settings")
@command_options
def settings_command(data: Path | None, as_json: bool) -> None:
    """实际生效的设置，不含口令；有错就一次全列出来。The settings in force, without secrets."""
    values = effective_settings(load_settings(data=data))
    unknown = unknown_variables()
    lines = [f"{name}\t{value or '（没有设）'}\t{VARIABLES[name]}" for name, value in values.items()]
    lines += [f"{name}\t不认识这一项，没有起作用；看一看是不是写错了" for name in unknown]
    emit({"settings": values, "unknown": list(unknown)}, as_json, "\n".join(lines))


@click.command("example")
@click.argument("what", type=click.Choice(list(EXAMPLES)))
@command_options
def example_command(data: Path | None, what: str, as_json: bool) -> None:
    """部署示例：systemd、nginx、caddy、compose，打印出来照着改。Print a deployment example."""
    texts = {name: example_text(name) for name in EXAMPLES[what]}
    shown = "\n".join(texts.values())
    emit({"example": what, "files": texts}, as_json, shown.rstrip("\n"))


def example_text(name: str) -> str:
    """One example file."""
    return (files("survey.cli") / "examples" / name).read_text(encoding="utf-8")


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@command_options
def completion_command(data: Path | None, shell: str, as_json: bool) -> None:
    """命令行补全：把打印出来的内容放进shell的启动文件。Print the completion script of a shell.

    bash：eval "$(survey completion bash)"；zsh同样；fish：survey completion fish | source。
    """
    from survey.cli.main import main

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(main, {}, "survey", f"_{'survey'.upper()}_COMPLETE").source()
    emit({"shell": shell, "script": script}, as_json, script.rstrip("\n"))
