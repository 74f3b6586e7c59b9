"""An approver whose key never comes to the bureau: each act and the certificate by a file carried to and fro."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.own_key import NotYourKeyError, register_own_key
from survey.jobs.remote_signing import read_request, share_key
from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.signers import create_signer
from survey.settings import load_settings
from survey.storage.accounts import find_account
from survey.storage.audit import list_audit
from survey.storage.certificates import load_registry
from survey.storage.plans import load_wave
from survey.storage.print_files import load_print_file, save_print_file

from ..conftest import NOW, PASSWORD, Site, answer

WAVE = "county-a"
SIGNING = f"/console/waves/{WAVE}/signing"
CERTIFY = f"/console/waves/{WAVE}/certify"


@pytest.fixture
async def apart(site: Site) -> tuple[Site, Any]:
    """A bureau with a drawn wave and the operator's key, and the approver's signer of another computer."""
    far = create_signer(load_settings({}, data=site.settings.data.with_name("far")), "approver", PASSWORD)
    create_signer(site.settings, "operator", f"{PASSWORD} operator")
    await site.wave(until="drawn")
    await site.sign_in("yi", ("approver",))
    keys = {"vkey": far.vkey, "share_key": share_key(far)}
    wrong = await site.send("/console/signers/elsewhere", {**keys, "share_key": "0" * 63})
    done = await site.send("/console/signers/elsewhere", keys)
    assert (wrong.status_code, done.status_code) == (422, 303), wrong.text
    assert "公钥已登记" in (await site.client.get("/console/signers")).text
    site.client.cookies.clear()
    await site.sign_in("jia", ("admin", "operator"))
    return site, far


async def act(site: Site, far: Any, title: str) -> tuple[Any, Any]:
    """One act of two: the request taken, signed elsewhere, brought back; (the other text's reply, the last reply)."""
    own = {"act": title, "operator": f"{PASSWORD} operator", "confirm": WAVE}
    taken = await site.send(SIGNING, {**own, "step": "request"})
    assert taken.status_code == 200 and "attachment" in taken.headers["content-disposition"], taken.text
    request = read_request(taken.content)
    signed = request.signed_by(far)
    other = replace(request, text=request.text + "x\n", document=None)
    bent = replace(other, line=far.sign(other.text)).encoded()
    replies = [
        await site.send(SIGNING, {**own, "step": "answer"}, files={"answer": ("r.json", data, "application/json")})
        for data in (bent, signed.encoded())
    ]
    return replies[0], replies[1]


async def test_a_plan_is_signed_on_two_computers_by_a_file_that_says_just_that_plan(apart: tuple[Site, Any]) -> None:
    site, far = apart
    page = (await site.client.get(SIGNING)).text
    empty = await site.send(SIGNING, {"act": "签署方案", "operator": f"{PASSWORD} operator", "step": "answer"})
    other, planned = await act(site, far, "签署方案")
    acts = [one.what for one in await list_audit(limit=20)]

    assert "下载签名请求" in page and "--approver-request" in page and 'name="approver"' not in page
    assert (empty.status_code, other.status_code, planned.status_code) == (422, 409, 303), planned.text
    assert (await load_wave(WAVE)).state == "planned"
    assert acts.count("ask_signature") == 1 and "register_signer" in acts


@pytest.mark.slow
async def test_close_opening_and_certificate_are_signed_on_two_computers(apart: tuple[Site, Any]) -> None:
    site, far = apart
    planned = await act(site, far, "签署方案")
    codes = load_print_file(site.settings, WAVE)
    await publish_wave(site.settings, site.office, WAVE, actor="jia", now=NOW)
    save_print_file(site.settings, WAVE, codes)
    await answer(site.office, site.settings, WAVE)
    closed = await act(site, far, "结束填写")
    opened = await act(site, far, "开箱")
    await estimate_wave(site.office, WAVE, actor="jia", now=NOW)

    prepared = await site.send(f"{CERTIFY}/prepare", {"password": PASSWORD, "passphrase": f"{PASSWORD} operator"})
    site.client.cookies.clear()
    await site.sign_in("bing", ("reviewer",))
    await site.send(f"{CERTIFY}/review", {"password": PASSWORD})
    site.client.cookies.clear()
    await site.client.post(
        "/console/sign-in", data={"name": "yi", "password": PASSWORD}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    told = (await site.client.get(CERTIFY)).text
    taken = await site.send(f"{CERTIFY}/request")
    signed = read_request(taken.content).signed_by(far).encoded()
    none = await site.send(f"{CERTIFY}/sign", {"password": PASSWORD})
    issued = await site.send(
        f"{CERTIFY}/sign", {"password": PASSWORD}, files={"answer": ("r.json", signed, "application/json")}
    )

    assert [reply.status_code for reply, _ in (planned, closed, opened)] == [409, 409, 409]
    assert [reply.status_code for _, reply in (planned, closed, opened)] == [303, 303, 303]
    assert prepared.status_code == 303
    assert "下载签名请求" in told and 'name="passphrase"' not in told
    assert none.status_code == 422 and "没有选签好的文件" in none.text
    assert issued.status_code == 303, issued.text
    assert (await load_wave(WAVE)).state == "certified"
    assert len((await load_registry()).leaves) > 0
    assert not (site.settings.keys / "_installation" / "approver.key").exists()


async def test_only_an_approver_registers_a_key_from_elsewhere(site: Site) -> None:
    await site.person("jia", ("operator",))
    account = await find_account("jia")
    assert account is not None

    with pytest.raises(NotYourKeyError):
        await register_own_key(site.settings, account, "x", "y", now=NOW)
