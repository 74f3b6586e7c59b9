"""`survey backup` and `survey restore`: verified copies, encrypted, beside a running service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from survey.cli.control import ask_at_the_door
from survey.cli.progress import counted
from survey.cli.session import (
    UnreadableFileError,
    actor,
    at_desk,
    command_options,
    emit,
    read_file,
    run,
    utc_now,
)
from survey.errors import SurveyError
from survey.jobs.back_up import back_up, check_targets, finish_backup
from survey.jobs.backup_file import Progress, new_key, open_key
from survey.jobs.restore_backup import restore_backup
from survey.settings import Settings, load_settings
from survey.storage.office import IntakeOffice


class NoTargetError(SurveyError):
    """No file was named."""

    code = "backup.no_target"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__("备份", "没有写文件名", "写成 survey backup 文件，最好在另一块磁盘上")


class KeyFileExistsError(SurveyError):
    """A private key is never overwritten."""

    code = "backup.key_exists"
    kind = "conflict"

    def __init__(self, path: Path) -> None:
        super().__init__(f"私钥文件 {path}", "已经存在，不会覆盖", "换一个名字")


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--to", "recipient", default=None, help="age公钥；默认 SURVEY_BACKUP_RECIPIENT (public key)")
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    default=None,
    help="另写一个密钥文件，要和备份分开保管 (also write the keys, to be kept apart)",
)
@click.option("--replace", is_flag=True, help="代替同名的旧备份 (replace the older backup)")
@click.option(
    "--new-key",
    type=click.Path(path_type=Path),
    default=None,
    help="建一对备份钥匙，私钥写到这里，不要留在服务器上 (make a key pair)",
)
@click.option("--passphrase-file", type=click.Path(path_type=Path), default=None, help="私钥口令所在的文件 (passphrase file)")
@command_options
def backup_command(
    data: Path | None,
    file: Path | None,
    recipient: str | None,
    keys: Path | None,
    replace: bool,
    new_key: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """备份，服务不用停；写完读回来核对。Back up while serving, encrypted, and verify what was written."""
    if new_key is not None:
        _make_key(new_key, passphrase_file, as_json)
        return
    settings = load_settings(data=data, backup_recipient=recipient)
    if file is None:
        raise NoTargetError
    with counted("备份", as_json) as progress:
        done = _back_up(settings, file.absolute(), keys.absolute() if keys else None, replace, progress)
    answers = sum(done["waves"].values())
    text = f"已备份到 {done['file']}（{done['size']}字节），{len(done['waves'])}次调查、{answers}份答卷，读回核对无误。"
    if done["left_out"]:
        text += f"\n没有备份 {'、'.join(done['left_out'])}：答卷库读不出或被改动过，原来的请另外保存。"
    emit(done, as_json, text + (f"\n密钥在 {done['keys']}，请和备份分开保管。" if done["keys"] else ""))


def _back_up(
    settings: Settings, file: Path, keys: Path | None, replace: bool, progress: Progress | None
) -> dict[str, Any]:
    recipient = check_targets(settings.backup_recipient, file, keys, replace=replace)
    gathered = ask_at_the_door(settings, {"do": "gather"})
    if gathered is not None:
        folder = Path(gathered["folder"])
        done = finish_backup(
            settings, folder, file, recipient, replace=replace, keys=keys, progress=progress
        )
        ask_at_the_door(settings, {"do": "note", "done": done, "actor": actor()})
        return done

    async def work() -> dict[str, Any]:
        async with at_desk(settings) as (opened, database):
            office = IntakeOffice(opened)
            await office.start()
            try:
                return await back_up(
                    opened,
                    database,
                    office,
                    file,
                    recipient,
                    actor=actor(),
                    now=utc_now(),
                    replace=replace,
                    keys=keys,
                    progress=progress,
                )
            finally:
                await office.stop()

    return run(work())


def _make_key(path: Path, passphrase_file: Path | None, as_json: bool) -> None:
    if path.exists():
        raise KeyFileExistsError(path)
    public, private = new_key(_passphrase(passphrase_file, confirm=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(private)
    emit(
        {"public": public, "private_key_file": str(path)},
        as_json,
        f"公钥（写进 SURVEY_BACKUP_RECIPIENT）：\n{public}\n私钥在 {path}，请移到服务器以外的地方，连同口令保管。",
    )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", "key_file", type=click.Path(path_type=Path), required=True, help="私钥文件 (private key)")
@click.option("--keys", type=click.Path(path_type=Path), default=None, help="分开保管的密钥文件 (the keys, kept apart)")
@click.option("--passphrase-file", type=click.Path(path_type=Path), default=None, help="私钥口令所在的文件 (passphrase file)")
@command_options
def restore_command(
    data: Path | None,
    file: Path,
    key_file: Path,
    keys: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """把备份恢复到新的文件夹（--data）或空的数据库，并核对。Restore into a new folder or an empty database."""
    settings = load_settings(data=data)
    identity = open_key(read_file(key_file), lambda: _passphrase(passphrase_file, confirm=False))
    for named in (file, keys):
        if named is not None and not named.is_file():
            raise UnreadableFileError(named, "没有这个文件")
    with counted("恢复", as_json) as progress:
        done = run(restore_backup(settings, file, identity, keys=keys, progress=progress))
    waves = "\n".join(f"{wave}\t{size}份答卷" for wave, size in done["waves"].items())
    rest = "各次调查已试着打开，都对得上。" if done["started"] else "没有给密钥文件，答卷日志核对过，但还不能继续接收。"
    emit(done, as_json, f"已恢复到 {done['data']}（备份于{done['made_at']}）。\n{waves}\n{rest}".replace("\n\n", "\n"))


def _passphrase(path: Path | None, *, confirm: bool) -> str:
    if path is not None:
        return read_file(path).decode("utf-8", "replace").rstrip("\r\n")
    return str(click.prompt("备份私钥的口令", hide_input=True, confirmation_prompt=confirm, err=True))
