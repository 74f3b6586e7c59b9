"""Commands that make a place to work: data folder, accounts, signing keys, tokens, migrations."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from survey.cli.session import actor, at_desk, command_options, emit, read_file, run, utc_now
from survey.jobs.manage_accounts import (
    change_account,
    end_token,
    first_account,
    forget_code,
    issue_token,
    limit_account,
    meant_account,
    name_subject,
    new_account,
    place_division,
    reopen_account,
    shut_account,
    sign_in_address,
)
from survey.jobs.place_schools import give_area_up
from survey.jobs.remote_signing import share_key as share_key_of
from survey.jobs.signers import TITLES, create_signer, register_vkey
from survey.scheme.divisions import county_of_area, level_of
from survey.storage.accounts import ROLES, find_account, list_accounts
from survey.storage.audit import record_audit
from survey.storage.tokens import SCOPES, ApiToken, list_tokens

WHO = {
    "admin": "管理员",
    "operator": "经办",
    "reviewer": "复核",
    "approver": "签发",
    "auditor": "上级核查（只读）",
    "contact": "学校联系人",
}


@click.command("init")
@click.option(
    "--name", default="admin", show_default=True, help="第一个账号的登录名 (login of the first account)"
)
@click.option("--display", default="管理员", show_default=True, help="显示的名字 (name shown)")
@command_options
def init_command(data: Path | None, name: str, display: str, as_json: bool) -> None:
    """建好数据文件夹和第一个账号。Make the data folder and the first account."""

    async def work() -> dict[str, str]:
        async with at_desk(data, new=True) as (settings, _):
            link = await first_account(settings, name, display, actor=actor(), now=utc_now())
            return {"data": str(settings.data), "account": name, "sign_in": link}

    done = run(work())
    emit(
        done,
        as_json,
        f"数据文件夹：{done['data']}\n账号：{name}\n"
        f"用这个一次性链接登录，24小时内有效（先运行 survey serve）：\n{done['sign_in']}",
    )


@click.command("account")
@click.argument("name", required=False)
@click.option("--display", default=None, help="显示的名字 (name shown)")
@click.option(
    "--role", "roles", multiple=True, type=click.Choice(ROLES), help="角色，可多次给出 (role, repeatable)"
)
@click.option(
    "--division",
    "divisions",
    multiple=True,
    help="只管这些区划，如3608、督学责任区360828-02，或一所学校的10位标识码；all为全部 (works in these only)",
)
@click.option(
    "--set-role", "new_roles", multiple=True, type=click.Choice(ROLES), help="改成这些角色 (roles from now on)"
)
@click.option("--disable/--enable", "shut", default=None, help="停用，或重新启用 (shut, or open again)")
@click.option("--reset-code", is_flag=True, help="手机丢了：去掉一次性验证码 (forget the one-time code)")
@click.option(
    "--oidc-subject", "subject", default=None, help="统一登录里的标识（sub）；none为去掉 (subject at the provider)"
)
@command_options
def account_command(
    data: Path | None,
    name: str | None,
    display: str | None,
    roles: tuple[str, ...],
    divisions: tuple[str, ...],
    new_roles: tuple[str, ...],
    shut: bool | None,
    reset_code: bool,
    subject: str | None,
    as_json: bool,
) -> None:
    """新建账号或给旧账号一个登录链接；不写名字就列出账号。Create an account, renew its sign-in link, or list."""

    async def work() -> dict[str, Any]:
        async with at_desk(data) as (settings, _):
            if name is None:
                rows = await list_accounts()
                return {
                    "accounts": [
                        {
                            "name": row.name,
                            "display": row.display,
                            "roles": sorted(row.roles),
                            "divisions": sorted(row.divisions),
                            "active": row.active,
                        }
                        for row in rows
                    ]
                }
            codes = () if divisions == ("all",) else divisions
            if roles:
                await new_account(name, display or name, roles, codes, actor=actor(), now=utc_now())
            elif new_roles:
                known = await find_account(name)
                kept = codes if divisions or known is None else known.divisions
                await change_account(name, new_roles, kept, actor=actor(), now=utc_now())
            elif divisions:
                await limit_account(name, codes, actor=actor(), now=utc_now())
            if shut is not None:
                await (shut_account if shut else reopen_account)(name, actor=actor(), now=utc_now())
                if shut:
                    return {"account": name, "active": False}
            if reset_code:
                await forget_code(name, actor=actor(), now=utc_now())
            if subject is not None:
                wanted = None if subject == "none" else subject
                await name_subject(settings, name, wanted, actor=actor(), now=utc_now())
                return {"account": name, "subject": wanted}
            link = await sign_in_address(settings, name, actor=actor(), now=utc_now())
            return {"account": name, "sign_in": link}

    done = run(work())
    if name is None:
        rows = done["accounts"]
        text = "\n".join(
            f"{row['name']}\t{row['display']}\t{'、'.join(WHO.get(r, r) for r in row['roles'])}"
            f"\t{'、'.join(row['divisions']) or '全部'}" + ("" if row["active"] else "\t已停用")
            for row in rows
        )
        emit(done, as_json, text or "还没有账号。先运行 survey init。")
    else:
        if "subject" in done:
            emit(done, as_json, f"{name}在统一登录里的标识：{done['subject'] or '没有'}")
            return
        if "active" in done:
            emit(done, as_json, f"{name}已停用，它的登录、链接和令牌都已结束。")
            return
        emit(done, as_json, f"一次性登录链接（24小时内有效）：\n{done['sign_in']}")


@click.command("division")
@click.argument("code")
@click.option("--under", default=None, help="上级区划；责任区的上级在代码里 (the division above)")
@click.option("--name", default=None, help="名称，如 万安工业园区 (its name)")
@click.option("--end", is_flag=True, help="撤销这个督学责任区，代码不再用 (give an area up)")
@command_options
def division_command(
    data: Path | None, code: str, under: str | None, name: str | None, end: bool, as_json: bool
) -> None:
    """登记没有国标代码的区划：开发区，或督学责任区360828-02。Give a division without a national code its place."""
    above = under or (county_of_area(code) if level_of([code.upper()]) == "area" else None)
    if end:
        document, said = _ended(data, code)
        emit(document, as_json, said)
        return
    if above is None or name is None:
        raise click.UsageError("登记要写 --name，督学责任区以外还要写 --under")

    async def work() -> dict[str, str]:
        async with at_desk(data):
            await place_division(code, above, name, actor=actor(), now=utc_now())
            return {"code": code, "under": above, "name": name}

    done = run(work())
    emit(done, as_json, f"{done['name']}（{done['code']}）在{done['under']}下面。")


def _ended(data: Path | None, code: str) -> tuple[dict[str, object], str]:
    async def work() -> bool:
        async with at_desk(data):
            return await give_area_up(code.upper(), actor=actor(), now=utc_now()) is not None

    done = run(work())
    said = "已撤销，只管它的账号什么也看不到了" if done else "没有这个责任区，或者已经撤销"
    return {"code": code.upper(), "ended": done}, f"{code.upper()}：{said}。"


@click.command("signer")
@click.argument("role", type=click.Choice(list(TITLES)))
@click.option(
    "--vkey", default=None, help="钥匙在别的电脑上：只登记它的验证公钥 (register a public key only)"
)
@click.option(
    "--share-key", default=None, help="签发在别处时，还要它的半把钥匙公钥 (the approver's share key)"
)
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    default=None,
    help="口令所在的文件 (passphrase file)",
)
@command_options
def signer_command(
    data: Path | None,
    role: str,
    vkey: str | None,
    share_key: str | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """给经办、签发或上级核查建签名密钥，或登记别处的公钥。Make a signing key, or register a public one."""
    if passphrase_file is None and (named := os.environ.get(f"SURVEY_{role.upper()}_PASSPHRASE_FILE")):
        passphrase_file = Path(named)
    if vkey is not None:
        passphrase = ""
    elif passphrase_file is not None:
        passphrase = read_file(passphrase_file).decode("utf-8", "replace").rstrip("\r\n")
    else:
        passphrase = click.prompt(f"{TITLES[role]}口令", hide_input=True, confirmation_prompt=True, err=True)

    async def work() -> dict[str, str]:
        async with at_desk(data) as (settings, _):
            if vkey is not None:
                key, share = register_vkey(settings, role, vkey, share_key), share_key or ""
            else:
                signer = create_signer(settings, role, passphrase)
                key, share = signer.key, share_key_of(signer)
            act = "create_signer" if vkey is None else "register_signer"
            await record_audit(actor(), act, role, details={"fingerprint": key.fingerprint}, now=utc_now())
            return {"role": role, "vkey": str(key), "share_key": share, "fingerprint": key.fingerprint}

    done = run(work())
    text = f"{TITLES[role]}的验证公钥：\n{done['vkey']}\n指纹：{done['fingerprint']}"
    emit(done, as_json, text + (f"\n半把钥匙的公钥：{done['share_key']}" if done["share_key"] else ""))


@click.command("token")
@click.argument("label", required=False)
@click.option(
    "--account", "account_name", default=None, help="令牌属于哪个账号，默认唯一的管理员 (owner account)"
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    default=["waves:read", "participation:read", "figure:read"],
    show_default=True,
    help="权限，可多次给出 (scope, repeatable)",
)
@click.option(
    "--days", default=365, show_default=True, type=click.IntRange(1, 3650), help="有效天数 (days valid)"
)
@click.option("--list", "listed", is_flag=True, help="列出全部令牌：编号、用途、期限 (list them)")
@click.option("--end", "ended", metavar="编号", default=None, help="收回一个令牌 (take one back)")
@command_options
def token_command(
    data: Path | None,
    label: str | None,
    account_name: str | None,
    scopes: tuple[str, ...],
    days: int,
    listed: bool,
    ended: str | None,
    as_json: bool,
) -> None:
    """给别的系统一个接口令牌，只显示这一次；也用来列出和收回。Make an API token, shown once; list and end them."""
    if sum((label is not None, listed, ended is not None)) != 1:
        raise click.UsageError("写用途来发一个令牌，或者 --list，或者 --end 编号，三样选一样。")

    async def work() -> tuple[dict[str, object], str]:
        async with at_desk(data):
            if listed:
                tokens = await list_tokens()
                return {"tokens": [_token_document(one) for one in tokens]}, _token_lines(tokens)
            if ended is not None:
                token = await end_token(ended, actor=actor(), now=utc_now())
                return {"ended": token.name, "label": token.label}, f"已收回：{token.label}（{token.account}）"
            owner = await meant_account(account_name)
            made = await issue_token(
                owner, str(label), frozenset(scopes), timedelta(days=days), actor=actor(), now=utc_now()
            )
            said = f"{owner}的令牌（只显示这一次）：\n{made}\n用法：Authorization: Bearer 令牌"
            return {"label": label, "account": owner, "scopes": sorted(scopes), "token": made}, said

    done, text = run(work())
    emit(done, as_json, text)


def _token_document(token: ApiToken) -> dict[str, object]:
    return {
        "name": token.name,
        "label": token.label,
        "account": token.account,
        "scopes": sorted(token.scopes),
        "expires_at": token.expires_at.isoformat(),
        "ended_at": None if token.revoked_at is None else token.revoked_at.isoformat(),
    }


def _token_lines(tokens: Sequence[ApiToken]) -> str:
    now = utc_now()
    lines = [
        f"{one.name}\t{one.label}\t{one.account}\t{' '.join(sorted(one.scopes))}\t{one.expires_at:%Y-%m-%d}\t"
        + ("已收回" if one.revoked_at else "已过期" if one.expires_at <= now else "有效")
        for one in tokens
    ]
    return "\n".join(lines) or "还没有发出令牌。"


@click.command("migrate")
@command_options
def migrate_command(data: Path | None, as_json: bool) -> None:
    """把数据库升到这个版本；平时启动会自动做。Bring the database up to this version."""

    async def work() -> dict[str, str]:
        async with at_desk(data) as (settings, database):
            return {"data": str(settings.data), "engine": database.engine_name, "migrated": "yes"}

    done = run(work())
    emit(done, as_json, f"数据库已是最新（{done['engine']}）。")
