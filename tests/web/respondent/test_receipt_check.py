"""What `/check` says of receipts: nothing before closing, the whole truth about a receipt afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from survey.certification.receipt import parse_receipt
from survey.certification.sealing import key_digest, leaf
from survey.certification.signature import Signer
from survey.certification.transparency_log import Checkpoint, leaf_hash

from .ground import WAVE, Ground, ground
from .test_pages import invented_receipt, send, visiting


@pytest.fixture
async def laid(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path / "data") as made:
        yield made


@pytest.fixture
async def client(laid: Ground) -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with visiting(laid) as opened:
        yield opened


async def receipts(laid: Ground, client: AsyncTestClient[Litestar], n: int) -> list[str]:
    sent = [await send(client, laid.code(), {"PA20": "5"}) for _ in range(n)]
    return [reply.headers["location"].rpartition("/")[2] for reply in sent]


async def said(client: AsyncTestClient[Litestar], text: str) -> str:
    return (await client.post("/check", data={"receipt": text})).text


async def test_before_closing_every_code_gets_the_same_bytes_and_none_is_looked_at(
    laid: Ground, client: AsyncTestClient[Litestar], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = await receipts(laid, client, 4)

    def looked(*_: object) -> None:
        raise AssertionError("the code was looked at")

    for name in ("parse_code", "parse_receipt", "final_log"):
        monkeypatch.setattr(f"survey.web.respondent.check.{name}", looked)
    texts = [*real, *(one[:16] for one in real), *(invented_receipt() for _ in range(40)), "", "x"]
    replies = {await said(client, text) for text in texts}

    assert len(replies) == 1 and "截止前不能核对" in replies.pop()


async def test_after_closing_a_whole_receipt_is_held_against_the_log(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    whole, other = await receipts(laid, client, 2)
    await laid.go("closed")
    mine, theirs = parse_receipt(whole), parse_receipt(other)
    log = laid.office.log_signer(WAVE)
    forked = leaf(bytes(32), "3207042001-P", key_digest(bytes(16)))
    root = leaf_hash(forked)
    signed = log.raw_signature(Checkpoint(log.name, 1, root).text.encode())
    fork = replace(
        mine, leaf_hash=root, submission_key=bytes(16), index=0, size=1, root=root, signature=signed
    )
    stranger = Signer(log.name, bytes(32))
    elsewhere = replace(
        mine,
        key_id=stranger.key.key_id,
        signature=stranger.raw_signature(Checkpoint(log.name, mine.size, mine.root).text.encode()),
    )

    assert "收到：是" in await said(client, whole) and "都对得上" in await said(client, whole)
    assert "收到：是" in await said(client, whole[:16].lower())
    assert "不是给您的" in await said(client, replace(mine, submission_key=theirs.submission_key).text)
    assert "最终的日志却和它不符" in await said(client, fork.text)
    assert "签名对不上" in await said(client, elsewhere.text)
    assert "没有查到" in await said(client, invented_receipt())
