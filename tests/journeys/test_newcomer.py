"""A newcomer sets a wave up in Chromium, reading only the screens: every action is counted and timed.

Whoever plays clicks on what is visible and types into fields by their labels, as a person would;
no address is typed but the first, and no selector is used that a person could not read. From
signing in to the published plan the sample county takes at most forty actions.
`NEWCOMER_NOTE=FILE` writes the counts and seconds of each step to a file.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright

from survey.certification.verification import verify_file
from survey.jobs.simulate_responses import in_piles, simulate_responses
from survey.sampling.frame_file import sample_county
from survey.scheme.plan import instrument_of, scheme_of
from survey.settings import Settings
from survey.storage.accounts import create_account
from survey.storage.database import open_database
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, load_wave
from survey.storage.print_files import load_print_file
from survey.storage.samples import load_sample
from survey.web.access import utc_now
from survey.web.app import create_app

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
MOST_ACTIONS = 40
PASSWORD = "four plain words here"
PHRASES = {"经办": "经办自己想的一句很长的话", "签发": "签发自己想的另一句很长的话"}

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no browser on this machine"
)


@dataclass
class Newcomer:
    """Somebody at a browser; each click, typing, choice and file counts as one action."""

    page: Page
    steps: dict[str, list[float]] = field(default_factory=dict)
    _step: str = ""
    _since: float = 0.0

    def begin(self, step: str) -> None:
        """Begin a step: what follows is counted there."""
        self.end()
        self._step, self._since = step, perf_counter()
        self.steps[step] = [0, 0.0]

    def end(self) -> None:
        """End the step."""
        if self._step:
            self.steps[self._step][1] = perf_counter() - self._since
        self._step = ""

    def _one(self) -> None:
        self.steps[self._step][0] += 1

    async def press(self, words: str) -> None:
        """Press the visible button or link that says this, and wait for the page it leads to."""
        self._one()
        button = self.page.get_by_role("button", name=words, exact=True)
        shown = button.or_(self.page.get_by_role("link", name=words, exact=True))
        async with self.page.expect_navigation():
            await shown.locator("visible=true").first.click()

    async def type(self, label: str, text: str) -> None:
        """Type into the field with this label."""
        self._one()
        await self.page.get_by_label(label).locator("visible=true").first.fill(text)

    async def tick(self, words: str) -> None:
        """Tick the box, or choose the point, beside these words."""
        self._one()
        await self.page.get_by_label(words).locator("visible=true").first.check()

    async def hand_in(self, label: str, name: str, data: bytes) -> None:
        """Choose a file of one's own."""
        self._one()
        file: Any = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
        await self.page.get_by_label(label).set_input_files(file)

    async def download(self, words: str) -> Path:
        """Press a link that hands out a file."""
        self._one()
        async with self.page.expect_download() as coming:
            await self.page.get_by_role("link", name=words).first.click()
        return Path(await (await coming.value).path())

    @property
    def actions(self) -> int:
        """Everything done so far."""
        return int(sum(count for count, _ in self.steps.values()))


@dataclass
class Desk:
    """A running installation, and browsers at its address."""

    settings: Settings
    office: IntakeOffice
    app: Any
    address: str
    browser: Browser

    async def newcomer(self, *, scripts: bool = True) -> Newcomer:
        """Somebody who has just opened the sign-in page."""
        context = await self.browser.new_context(
            viewport={"width": 1280, "height": 800}, java_script_enabled=scripts
        )
        page = await context.new_page()
        page.set_default_timeout(60_000)
        await page.goto(f"{self.address}/console")
        return Newcomer(page)


@asynccontextmanager
async def desk_at(settings: Settings, door: socket.socket) -> AsyncIterator[Desk]:
    async with open_database(settings) as database, async_playwright() as playwright:
        office = IntakeOffice(settings)
        await office.start()
        app = create_app(settings, database, office)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[door]))
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield Desk(settings, office, app, settings.base_url, browser)
        finally:
            await browser.close()
            server.should_exit = True
            await serving
            await office.stop()


def at_door(settings: Settings, door: socket.socket) -> Settings:
    """The settings with the address at which the browser comes."""
    return replace(settings, base_url=f"http://127.0.0.1:{door.getsockname()[1]}")


async def sign_in(one: Newcomer, name: str) -> None:
    await one.type("用户名", name)
    await one.type("密码", PASSWORD)
    await one.press("登录")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody meets the page of a long job because this machine is busy."""
    monkeypatch.setattr("survey.web.console.work_room.PATIENCE", 120.0)


async def make_key(desk: Desk, name: str, role: str) -> int:
    """Once an installation: a signer makes their own key; how many actions it takes."""
    one = await desk.newcomer()
    one.begin("key")
    await sign_in(one, name)
    await one.press("密钥")
    await one.type("口令", PHRASES[role])
    await one.type("再输入一次", PHRASES[role])
    await one.press(f"生成{role}的密钥")
    one.end()
    await one.page.context.close()
    return one.actions


async def set_up(one: Newcomer) -> None:
    """The seven steps for the sample county, every number typed."""
    one.begin("登录")
    await sign_in(one, "jia")
    one.begin("新建，方案")
    await one.press("新建调查")
    await one.tick("演示，练手用")
    await one.press("存好，下一步")
    one.begin("日期和单位")
    await one.type("区县", "云台区")
    await one.type("区划代码", "320704")
    await one.type("组织单位", "云台区教育督导室")
    await one.type("核实电话", "0518-00000000")
    await one.press("存好，去下一处没填的")
    one.begin("语言和份数")
    await one.type("常住人口", "200000")
    await one.type("哪一年的", "2020")
    await one.type("出处", "演示数字，不是普查数")
    await one.type("人大代表", "160")
    await one.type("政协委员", "140")
    await one.press("存好，去下一处没填的")
    one.begin("怎样算")
    await one.tick("常住人口依据哪一次普查")
    await one.tick("官方的折算办法没有查到")
    await one.type("确认人", "甲")
    await one.press("存好，去下一处没填的")
    one.begin("总览")
    await one.press("建成调查，去导入名册")


async def draw_and_sign(one: Newcomer) -> None:
    one.begin("名册")
    await one.hand_in("名册文件", "学校名册.xlsx", sample_county("frame.xlsx"))
    await one.press("试读，先不导入")
    await one.press("导入这56所学校")
    one.begin("抽样")
    await one.press("下一步：看抽样方案")
    await one.type("种子", "20261124")
    await one.press("用这个种子抽样")
    one.begin("签署")
    await one.press("下一步：签署方案")
    await one.type("经办的口令", PHRASES["经办"])
    await one.type("签发的口令", PHRASES["签发"])
    await one.press("签署")


async def print_and_publish(one: Newcomer, desk: Desk, wave: str) -> None:
    one.begin("排印")
    await one.press("排印，装进一个压缩包")
    while desk.app.state.print_room.job(wave).running:
        await asyncio.sleep(0.2)
    await one.page.reload()
    archive = await one.download("下载压缩包")
    assert archive.stat().st_size > 100_000
    one.begin("检查，发布")
    await one.press("印好了，去发布检查")
    await one.type("输入这次调查的代号", wave)
    await one.press("发布")
    one.end()


async def answer(desk: Desk, wave: str, piles: dict[str, list[str]]) -> None:
    """Simulated people answer through the door that phones use."""
    plan, sample = await load_plan(wave), await load_sample(wave)
    scheme = scheme_of(plan)
    await simulate_responses(
        desk.office,
        plan,
        sample,
        piles,
        lambda draw: instrument_of(plan, scheme, draw.group, draw.stage),
        seed="7",
        began=utc_now(),
        days=5,
        progress=lambda _: None,
    )


async def conclude(one: Newcomer, desk: Desk, wave: str) -> dict[str, Path]:
    """Close, open and estimate at one desk; certify as three people; take the files."""
    for step, link, button, confirm in (
        ("结束", "结束填写（两人签名，不能撤回）", "结束", True),
        ("开箱", "两人开箱", "开箱", False),
    ):
        one.begin(step)
        await one.press(link)
        await one.type("经办的口令", PHRASES["经办"])
        await one.type("签发的口令", PHRASES["签发"])
        if confirm:
            await one.type("输入这次调查的代号", wave)
        await one.press(button)
        await wait_for_work(one)
    one.begin("计算")
    await one.press("计算满意度、区间和各组结果")
    await wait_for_work(one)
    one.begin("经办认证")
    await one.press("概况")
    await certify(one, "核对无误，签名", "经办")
    await wait_for_work(one)
    one.end()
    for name, step, button, role in (
        ("bing", "复核", "复核通过", ""),
        ("yi", "签发", "签名，签发证书", "签发"),
    ):
        other = await desk.newcomer()
        other.begin(step)
        await sign_in(other, name)
        await other.press((await load_wave(wave)).title)
        await certify(other, button, role)
        await wait_for_work(other)
        other.end()
        one.steps |= other.steps
    one.begin("取文件")
    await one.press("概况")
    await one.press("证书")
    links = {"certificate.json": "结果证书（JSON）", "report.pdf": "报告（PDF）"}
    files = {name: await one.download(words) for name, words in links.items()}
    one.end()
    return files


async def wait_for_work(one: Newcomer) -> None:
    """Where a job takes longer than three seconds its own page stands there until it leads on."""
    while one.page.url.endswith("/work"):
        if await one.page.get_by_role("link", name="接着往下做").count():
            await one.press("接着往下做")
        else:
            await asyncio.sleep(0.5)


async def certify(one: Newcomer, button: str, role: str) -> None:
    """One of the three steps, by whoever is signed in."""
    await one.press("去做这一步")
    await one.type("自己的登录密码", PASSWORD)
    if role:
        await one.type(f"{role}密钥的口令", PHRASES[role])
    await one.press(button)


def write_note(steps: dict[str, list[float]], published: int, keys: int) -> None:
    """The counts and seconds, where somebody asked for them."""
    target = os.environ.get("NEWCOMER_NOTE")
    if not target:
        return
    rows = [f"| {name} | {int(count)} | {seconds:.1f} |" for name, (count, seconds) in steps.items()]
    text = (
        "# The newcomer\n\nA scripted newcomer in Chromium sets up the sample county, every number typed, then "
        "closes, opens, certifies.\nSeconds are the machine's, with typing instant; the printing of every paper "
        f"is within them.\nFrom signing in to the published plan: {published} actions (at most {MOST_ACTIONS}). "
        f"Making a signing key, once an installation: {keys} actions a person.\n\n"
        "| step | actions | seconds |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )
    Path(target).write_text(text, encoding="utf-8")


async def people(desk: Desk) -> int:
    """Three accounts, and the two keys made on the screen."""
    for name, roles in (("jia", ("admin", "operator")), ("bing", ("reviewer",)), ("yi", ("approver",))):
        await create_account(name, name, roles, PASSWORD, now=utc_now())
    keys = await make_key(desk, "jia", "经办")
    await make_key(desk, "yi", "签发")
    return keys


@pytest.mark.long
async def test_a_newcomer_draws_and_signs_the_sample_county_without_scripts(
    sqlite_settings: Settings,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        async with desk_at(at_door(sqlite_settings, door), door) as desk:
            await people(desk)
            one = await desk.newcomer(scripts=False)
            await set_up(one)
            await draw_and_sign(one)
            one.end()
            row = await load_wave(one.page.url.split("/")[-2])

    # Printing and publishing are five actions more, walked in full by the slow journey.
    assert one.actions <= MOST_ACTIONS - 5, one.steps
    assert row.state == "planned"


@pytest.mark.slow
async def test_a_newcomer_takes_a_wave_from_signing_in_to_its_report(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        async with desk_at(at_door(settings, door), door) as desk:
            keys = await people(desk)
            one = await desk.newcomer()
            await set_up(one)
            await draw_and_sign(one)
            wave = one.page.url.split("/")[-2]
            piles = in_piles(load_print_file(desk.settings, wave))
            await print_and_publish(one, desk, wave)
            published, state = one.actions, (await load_wave(wave)).state
            await answer(desk, wave, piles)
            await one.page.reload()
            files = await conclude(one, desk, wave)
            certificate, report = (files[name].read_bytes() for name in ("certificate.json", "report.pdf"))
            last = (await load_wave(wave)).state
    write_note(one.steps, published, keys)

    assert published <= MOST_ACTIONS, one.steps
    assert (state, last) == ("open", "certified")
    assert verify_file(certificate).exit_code == 0
    assert report.startswith(b"%PDF")
