"""Every screen and state of the answering side, without a browser."""

from __future__ import annotations

import gzip
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient

from survey.certification.crockford import encode_signs
from survey.fieldwork.code import random_code
from survey.storage.cases import erase_cases
from survey.storage.intake import BusyError
from survey.web.respondent import words
from survey.web.respondent.reply import content_security_policy
from survey.web.respondent.routes import respondent_router
from survey.web.templating import inline_hash, inline_text, static_text

from .ground import DEPUTY, NOW, OPEN, PARENT, PUPIL, QUOTA, SCHOOL, WAVE, Ground, form_body, ground

FORM = {"content-type": "application/x-www-form-urlencoded"}


@asynccontextmanager
async def visiting(
    laid: Ground, clock: Callable[[], datetime] = lambda: NOW
) -> AsyncIterator[AsyncTestClient[Litestar]]:
    router = respondent_router(laid.office, base_url=laid.settings.base_url, clock=clock)
    async with AsyncTestClient(Litestar([router], openapi_config=None)) as client:
        client.follow_redirects = False
        yield client


@pytest.fixture
async def laid(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path / "data") as made:
        yield made


@pytest.fixture
async def client(laid: Ground) -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with visiting(laid) as opened:
        yield opened


async def send(
    client: AsyncTestClient[Litestar], code: str, answers: dict[str, str], **changes: str
) -> Response:
    page = await client.get(f"/s/{code}")
    return await client.post(f"/s/{code}", content=form_body(page.text, answers, **changes), headers=FORM)


def unknown_code() -> str:
    return random_code(secrets.token_bytes)


# ── what every page keeps ───────────────────────────────────────────────────────────────


async def test_every_screen_sets_no_cookie_and_runs_nothing_that_is_not_ours(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    code, pupil = laid.code(), laid.code(PUPIL)
    paths = [
        *(
            "/s",
            "/S",
            f"/s/{code}",
            f"/S/{code}",
            f"/s/{pupil}?z=2&lang=en",
            f"/s/{laid.code(DEPUTY)}",
            "/s/x",
        ),
        *(f"/s/{unknown_code()}", "/s/thanks", "/s/thanks/broken", f"/s/thanks/{invented_receipt()}"),
        *("/s/privacy", f"/s/privacy?wave={WAVE}", "/s/privacy?wave=nope", "/s/accessibility", "/s/dispute", "/check", "/CHECK"),
        *(f"/o/{WAVE}", f"/O/{WAVE.upper()}/{QUOTA.upper()}", "/o/nope", f"/o/{WAVE}/nope"),
    ]
    replies = [await client.get(path) for path in paths]
    replies += [
        await client.post("/s", content="code=x", headers=FORM),
        await client.post(f"/s/{code}", content="k=1"),
    ]

    for reply in replies:
        text = reply.text
        assert "set-cookie" not in reply.headers
        assert reply.headers["content-security-policy"] == content_security_policy()
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in reply.headers["x-robots-tag"]
        assert not re.search(r"\son\w+=|\sstyle=|javascript:", text), reply.url
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text), reply.url
        assert "演示数据" in text or "Demonstration" in text, reply.url
        assert text.count("<h1") == 1 or 'id="start"' in text, reply.url
        assert "user-scalable" not in text and "maximum-scale" not in text
        assert "_blank" not in text and "window.open" not in text and ".pdf" not in text


async def test_policy_admits_exactly_what_stands_in_the_pages(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    policy = content_security_policy()
    texts = [
        (await client.get(path)).text for path in (f"/s/{laid.code()}", f"/s/{laid.code(PUPIL)}", "/s/thanks")
    ]
    inline = [
        found
        for text in texts
        for found in re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", text, re.DOTALL)
    ]

    assert "unsafe" not in policy
    assert len(inline) == 7
    assert all(inline_hash(text) in policy for text in inline)


async def test_form_arrives_whole_in_one_request_of_at_most_14_kb(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    sizes = {}
    for domain in (PARENT, PUPIL, DEPUTY):
        code = laid.code(domain)
        for query in ("", "?z=1", "?z=2", "?lang=en", "?z=2&lang=en"):
            reply = await client.get(f"/s/{code}{query}")
            assert reply.headers["content-encoding"] == "gzip"
            assert not re.search(r"<(?:link|img|script|iframe)[^>]*(?:src|href)=\"(?!data:,)", reply.text)
            head = sum(len(name) + len(value) + 4 for name, value in reply.headers.items())
            sizes[domain, query] = int(reply.headers["content-length"]) + head

    assert max(sizes.values()) <= 14 * 1024, sizes


def test_script_is_small_and_old_engines_can_read_it() -> None:
    script = (
        static_text("respondent/form.js")
        + static_text("respondent/head.js")
        + static_text("respondent/check.js")
    )
    style = static_text("respondent/page.css") + static_text("respondent/form.css")

    assert len(gzip.compress(inline_text("respondent/form.js").encode(), 9)) <= 5 * 1024
    assert not re.search(r"\?\.|\?\?|\basync\b|\bawait\b|\.\.\.|catch \{|\.at\(|replaceAll|fetch\(", script)
    assert not re.search(r":has\(|inset-inline|(?<!-)\bgap:|text-size-adjust|@import|url\(", style)


async def test_thanks_page_is_at_most_4_kb_and_the_same_for_everybody(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    code = laid.code()
    open_page = await client.get("/s/thanks")
    sent = await send(client, code, {"PA20": "1"})
    used = await client.get(f"/s/{code}")
    real = await client.get(sent.headers["location"])
    made_up = await client.get(f"/s/thanks/{invented_receipt()}")

    assert used.status_code == 303 and used.headers["location"] == "/s/thanks"
    assert len(gzip.compress(real.content, 4)) <= 4 * 1024
    assert without_receipt(real.text) == without_receipt(made_up.text) == without_receipt(open_page.text)
    assert SCHOOL not in real.text


# ── ways in ─────────────────────────────────────────────────────────────────────────────


async def test_code_is_typed_any_way_and_leads_to_its_form(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    code = laid.code()
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in code[:4]) + "－" + code[4:8].lower() + " " + code[8:]
    reply = await client.post("/s?z=1&lang=en", data={"code": wide})

    assert reply.status_code == 303
    assert reply.headers["location"] == f"/s/{code}?z=1&lang=en"


@pytest.mark.parametrize("typed", ["", "7KQ4", "AEIOU2345678", "<script>alert(1)</script>", "好" * 12])
async def test_mistyped_code_is_a_fault_at_the_field_and_kept(
    client: AsyncTestClient[Litestar], typed: str
) -> None:
    reply = await client.post("/s", data={"code": typed})

    assert reply.status_code == 422
    assert "<title>错误：" in reply.text
    assert 'aria-invalid="true"' in reply.text
    assert "<script>alert" not in reply.text


async def test_reading_a_link_fifty_times_spends_nothing(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    code = laid.code()
    for _ in range(25):
        await client.get(f"/s/{code}", headers={"user-agent": "MicroMessenger preview"})
        head = await client.head(f"/S/{code}")
    sent = await send(client, code, {"PA20": "5"})

    assert head.status_code == 200 and head.content == b""
    assert sent.status_code == 303 and sent.headers["location"].startswith("/s/thanks/")


async def test_thirty_unknown_codes_rest_the_address_but_sending_goes_on(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    page = await client.get(f"/s/{(code := laid.code())}")
    for _ in range(40):
        await client.get("/s/7KQ4M2XH9DTS")  # fails its check sign: never counted
    first = await client.get(f"/s/{unknown_code()}")
    for _ in range(29):
        await client.get(f"/s/{unknown_code()}")
    rested = await client.get(f"/s/{laid.code()}")
    sent = await client.post(f"/s/{code}", content=form_body(page.text, {"PA20": "5"}), headers=FORM)

    assert first.status_code == 422 and "没有这个填写码" in first.text
    assert rested.status_code == 429 and 0 < int(rested.headers["retry-after"]) <= 600
    assert "请过10分钟再试" in rested.text
    assert sent.status_code == 303


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("planned", "调查还没有开始，11月24日开始"),
        ("paused", "调查暂停了"),
        ("closed", "结果会在12月20日以后公布"),
    ],
)
async def test_wave_that_takes_nothing_says_why(tmp_path: Path, state: str, sentence: str) -> None:
    async with ground(tmp_path / "data", state) as laid, visiting(laid) as client:
        reply = await client.get(f"/s/{laid.code()}")
        poster = await client.get(f"/o/{WAVE}/{QUOTA}")

    assert reply.status_code == 200 and sentence in reply.text
    assert poster.status_code == 200 and sentence in poster.text


# ── sending ─────────────────────────────────────────────────────────────────────────────


async def test_same_form_sent_again_gets_the_same_receipt_whatever_it_says(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    code = laid.code()
    page = (await client.get(f"/s/{code}")).text
    first = await client.post(f"/s/{code}", content=form_body(page, {"PA20": "3"}), headers=FORM)
    again = await client.post(f"/S/{code}", content=form_body(page, {"PA20": "1", "PA01": "9"}), headers=FORM)
    other = await client.post(f"/s/{code}", content=form_body(page, {"PA20": "1"}, k="ab" * 16), headers=FORM)
    script = await client.post(
        f"/s/{code}", content=form_body(page, {"PA20": "3"}), headers={**FORM, "x-requested-with": "form"}
    )

    assert first.status_code == again.status_code == other.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    assert other.headers["location"] == "/s/thanks"
    assert script.status_code == 200 and first.headers["location"].rpartition("/")[2] in script.text
    assert len(await laid.office.leaves(WAVE)) == 1


async def test_faults_stand_beside_their_items_and_everything_typed_is_kept(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    text = '"><script>alert(1)</script>好'
    reply = await send(client, laid.code(), {"PA01": "4", "PA25": text})

    assert reply.status_code == 422
    assert "<title>错误：" in reply.text
    assert reply.text.index('<a href="#q-PA20">') < reply.text.index("<h1")
    assert re.search(r'id="PA01-4" value="4" checked', reply.text)
    assert "&gt;&lt;script&gt;alert(1)&lt;/script&gt;好</textarea>" in reply.text
    assert await laid.office.leaves(WAVE) == []
    assert laid.office.counts.refused == {"faulty_form": 1}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"a=" + b"x" * 70_000, FORM, 413),
        (b"&".join(b"f%d=1" % number for number in range(501)), FORM, 400),
        (b"PA01=%ff%fe", FORM, 400),
        (b"PA01=\xff", FORM, 400),
        (b'{"PA01": 5}', {"content-type": "application/json"}, 415),
        (b"PA20=5", FORM, 400),
    ],
)
async def test_what_is_no_form_of_ours_is_refused_kindly(
    laid: Ground, client: AsyncTestClient[Litestar], body: bytes, headers: dict[str, str], status: int
) -> None:
    reply = await client.post(f"/s/{laid.code()}", content=body, headers=headers)

    assert reply.status_code == status
    assert "请重新打开问卷" in reply.text


@pytest.mark.parametrize("extra", ["&PA01=5&PA01=4", "&XX01=5", "&k=" + "cd" * 16])
async def test_repeated_and_unknown_fields_are_refused(
    laid: Ground, client: AsyncTestClient[Litestar], extra: str
) -> None:
    code = laid.code()
    page = (await client.get(f"/s/{code}")).text
    reply = await client.post(f"/s/{code}", content=form_body(page, {"PA20": "5"}) + extra, headers=FORM)

    assert reply.status_code == 400
    assert await laid.office.leaves(WAVE) == []


async def test_form_of_another_version_is_opened_again(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    reply = await send(client, laid.code(), {"PA20": "5"}, v="0" * 16)

    assert reply.status_code == 409
    assert "请重新打开一次" in reply.text


@pytest.mark.parametrize("status", [503, 500])
async def test_what_cannot_be_taken_in_is_told_and_sent_again_whole_without_scripts(
    laid: Ground, client: AsyncTestClient[Litestar], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async def full(*_: object) -> None:
        raise BusyError() if status == 503 else RuntimeError("secret 4711")

    monkeypatch.setattr(laid.office, "submit", full)
    code = laid.code()
    reply = await send(client, code, {"PA20": "5", "PA25": '第一行\n"第二行" <b>'})
    monkeypatch.undo()
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', reply.text))
    body = urlencode({name: unescape(value) for name, value in again.items()})
    sent = await client.post(f"/s/{code}", content=body, headers=FORM)

    assert reply.status_code == status and (status == 500 or int(reply.headers["retry-after"]) > 0)
    assert "您的回答都在这一页里" in reply.text and "再交一次" in reply.text and "4711" not in reply.text
    assert unescape(again["PA25"]) == '第一行\n"第二行" <b>'
    assert sent.status_code == 303 and sent.headers["location"].startswith("/s/thanks/")
    assert len(await laid.office.leaves(WAVE)) == 1


async def test_whoever_only_typed_a_code_is_not_told_that_answers_are_kept(
    laid: Ground, client: AsyncTestClient[Litestar], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise BusyError()

    monkeypatch.setattr(laid.office, "find_slip", full)
    replies = [await client.post("/s", data={"code": laid.code()}), await client.get(f"/s/{laid.code()}")]

    assert [reply.status_code for reply in replies] == [503, 503]
    assert all("现在忙不过来" in reply.text and "回答" not in reply.text for reply in replies)


async def test_our_own_failure_shows_an_incident_and_nothing_of_what_went_wrong(
    laid: Ground, client: AsyncTestClient[Litestar], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret 4711")

    monkeypatch.setattr(laid.office, "find_slip", broken)
    reply = await client.get(f"/s/{laid.code()}")

    assert reply.status_code == 500
    assert "系统出了点问题" in reply.text and "4711" not in reply.text


async def test_quota_poster_takes_every_form_that_is_sent_and_then_says_it_is_full(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    address = f"/o/{WAVE}/{QUOTA}"
    pages = [(await client.get(address)).text for _ in range(3)]
    required = re.findall(r'id="q-(\w+)" data-item="\w+" data-need', pages[0])
    sent = [
        await client.post(address, content=form_body(page, {name: "98" for name in required}), headers=FORM)
        for page in pages
    ]
    full = await client.get(address)
    counters = await laid.office.counters(WAVE)

    # One machine sent all three; two found a place, the third went to the surplus domain.
    assert sorted(n for (_, kind), n in counters.items() if kind == "largest_one_address") == [1, 2]
    assert [reply.status_code for reply in sent] == [303, 303, 303]
    assert full.status_code == 200 and "名额已经填满" in full.text
    assert len(await laid.office.leaves(WAVE)) == 3


async def test_open_poster_asks_for_the_capacity_first(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    on = await client.get("/o")
    page = await client.get(on.headers["location"])
    form = await client.get(f"{on.headers['location']}?d={OPEN}&z=1&lang=zh")

    assert on.headers["location"] == f"/o/{WAVE}"
    assert "您以哪一种身份填写" in page.text and "结果不能代表全体" in page.text
    assert form.headers["location"] == f"/o/{WAVE}/{OPEN}?z=1&lang=zh"


# ── receipt, dispute, privacy ───────────────────────────────────────────────────────────


async def test_receipt_can_be_checked_only_after_closing(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    sent = await send(client, laid.code(), {"PA20": "5"})
    receipt = sent.headers["location"].rpartition("/")[2]
    before = [
        await client.post("/check", data={"receipt": text}) for text in (receipt, invented_receipt(), "x", "")
    ]
    await laid.go("closed")
    recorded = await client.post("/check", data={"receipt": receipt[:16].lower()})
    unknown = await client.post("/check", data={"receipt": invented_receipt()})
    mistyped = await client.post("/check", data={"receipt": "x"})

    assert len({reply.content for reply in before}) == 1
    assert "截止前不能核对" in before[0].text
    assert "收到：是" in recorded.text and "公布以后可以核对" in recorded.text
    assert "没有查到" in unknown.text
    assert mistyped.status_code == 422


async def test_receipt_comes_as_a_picture_a_phone_can_read_and_as_text(
    client: AsyncTestClient[Litestar],
) -> None:
    zxingcpp = pytest.importorskip("zxingcpp")
    image = pytest.importorskip("PIL.Image")
    receipt = invented_receipt()
    picture = await client.get(f"/s/thanks/{receipt}.png")
    text = await client.get(f"/s/thanks/{receipt}.txt")
    read = zxingcpp.read_barcodes(image.open(BytesIO(picture.content)))

    assert [code.text for code in read] == [f"https://survey.example/check#{receipt}"]
    assert receipt in text.text and text.headers["content-disposition"].startswith("attachment")


async def test_dispute_answers_the_same_for_every_code(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    used, unused = laid.code(), laid.code()
    await send(client, used, {"PA20": "5"})
    replies = [
        await client.post("/s/dispute", data={"code": code}) for code in (used, unused, unknown_code())
    ]
    counts = {count.domain: count.disputed for count in await laid.office.participation(WAVE)}

    assert len({reply.content for reply in replies}) == 1
    assert counts[PARENT] == 1


@pytest.mark.parametrize(("sealed", "sentence"), [(True, "没有人能打开"), (False, "系统管理员可以读到")])
async def test_privacy_notice_is_short_and_says_who_can_read(
    tmp_path: Path, sealed: bool, sentence: str
) -> None:
    async with ground(tmp_path / "data", sealed=sealed) as laid, visiting(laid) as client:
        text = (await client.get(f"/s/privacy?wave={WAVE}")).text
    notice = re.sub(r"<[^>]+>|\s", "", text[text.index("</h1>") : text.index("<details>")])

    assert sentence in notice
    assert len(notice) <= 400


async def test_the_accessibility_statement_names_gaps_and_a_telephone_and_is_one_link_away(
    laid: Ground, client: AsyncTestClient[Litestar]
) -> None:
    links = [
        re.search(r'href="(/s/accessibility[^"]*)"', (await client.get(path)).text)
        for path in ("/s", "/s/thanks", f"/s/privacy?wave={WAVE}")
    ]
    text = (await client.get(unescape(links[-1][1]))).text

    assert all(links)
    assert "WCAG 2.2 AA" in text and "GB/T 37668-2019" in text and "没有请外面的机构检测过" in text
    assert text.count("<li>") >= 3 and laid.plan.telephone in text


def test_dates_are_said_as_people_say_them() -> None:
    assert words.words("zh").date(datetime(2026, 12, 5, tzinfo=UTC)) == "12月5日"
    assert words.words("en").date(datetime(2026, 12, 5, tzinfo=UTC)) == "5 December"


def invented_receipt() -> str:
    """264 signs that anybody could make up."""
    data = bytearray(secrets.token_bytes(165))
    data[32] = 1
    return encode_signs(bytes(data))


def without_receipt(page: str) -> str:
    """A thanks page without what only a receipt brings."""
    page = re.sub(r'data-done="\w*"', "", page)
    return re.sub(
        r"(<details><summary>[^<]*</summary>\s*<p>[^<]*</p>).*?</details>",
        r"\1</details>",
        page,
        flags=re.DOTALL,
    )


@pytest.mark.parametrize("sealed", [True, False])
async def test_a_slip_of_a_wave_whose_answers_were_destroyed_is_gone(tmp_path: Path, sealed: bool) -> None:
    async with ground(tmp_path / "data", sealed=sealed) as laid, visiting(laid) as client:
        code = laid.code()
        await laid.go("closed")
        await laid.certify()
        kept = await client.get(f"/s/{code}")
        await erase_cases(WAVE)
        gone = await client.get(f"/s/{code}")

    assert (kept.status_code, gone.status_code) == (200, 410)
    assert "data-done" not in gone.text and "谢谢" in gone.text
    assert "结果会在" in kept.text and "答卷已按计划销毁" in gone.text and "结果会在" not in gone.text
