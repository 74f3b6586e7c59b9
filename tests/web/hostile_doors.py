"""Every way in which a text reaches the platform, as one function each: what it sends, and the last reply.

A door fills one field, or one group of fields, with the string and everything else rightly, so that
no earlier fault hides it. `Taken` remembers which fields of which form were asked for and filled.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec
from openpyxl import Workbook

from survey.canonical import encode
from survey.columns import UNWRITABLE
from survey.errors import SurveyError
from survey.jobs.create_wave import create_wave
from survey.jobs.draw_sample import draw_wave
from survey.jobs.import_frame import import_frame
from survey.jobs.manage_accounts import issue_token, new_account, place_division
from survey.jobs.message_board import decide_message
from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, open_signers
from survey.scheme.plan import example_plan_text, plan_document, read_plan
from survey.storage.print_files import load_print_file
from survey.storage.samples import load_sample
from survey.web.rights import SCOPES

from .conftest import BASE, NOW, PASSWORD, SAME_ORIGIN, Site, county_frame

DONE = "/console/waves/county-a"
"""A certified wave."""
RUNNING = "/console/waves/county-b"
"""A wave that takes answers."""
BEGUN = "/console/waves/county-c"
"""A wave before its plan is signed."""
API = "/api/v1/waves/county-a"
FORM = {"content-type": "application/x-www-form-urlencoded"}
TEXT_FIELDS = re.compile(
    r'<(?:input(?![^>]* type="(?:hidden|checkbox|radio|file|submit|date)")|textarea)[^>]* name="([^"]+)"'
)


@dataclass
class Taken:
    """A platform at work and somebody who may do all of it; what was filled, and what the last reply was."""

    site: Site
    headers: dict[str, str]
    key: str
    school_key: str
    school: str
    draft: str
    codes: list[str]
    steps: dict[int, list[str]]
    file_steps: dict[str, int]
    text_item: str
    filled: set[tuple[str, str]] = field(default_factory=set)
    asked: set[tuple[str, str]] = field(default_factory=set)
    replies: Counter[str] = field(default_factory=Counter)
    heaviest: tuple[int, str] = (0, "")
    n: int = 0

    async def post(self, path: str, text: str, _files: Any = None, **fields: str) -> Any:
        """Send a form as one of our own pages does; fields that carry the text count as filled."""
        self.filled |= {(pattern_of(path), name) for name, value in fields.items() if value == text}
        key = {"school_key": self.school_key} if path.startswith("/school") else {"form_key": self.key}
        if _files:
            whole = {**key, **{name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}}
            return await self.site.client.post(path, data=whole, files=_files, headers=SAME_ORIGIN, follow_redirects=False)
        body = urlencode({**key, **fields}, errors="surrogatepass")
        return await self.site.client.post(path, content=body, headers={**SAME_ORIGIN, **FORM}, follow_redirects=False)

    async def get(self, path: str, **query: str) -> Any:
        """Ask for a page whose address carries the text."""
        asked = f"?{urlencode(query, errors='surrogatepass')}" if query else ""
        return await self.site.client.get(path + asked, headers=self.headers if path.startswith("/api") else {})

    async def write(self, path: str, body: dict[str, Any], **headers: str) -> Any:
        """A write of another system; JSON spells what UTF-8 cannot."""
        self.n += 1
        sent = {**self.headers, "Content-Type": "application/json", "Idempotency-Key": f"k{self.n}", **headers}
        as_bytes = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
        return await self.site.client.post(path, content=json.dumps(body), headers=as_bytes)


Door = Callable[[Taken, str], Awaitable[Any]]
STEPS_OF_SETUP = range(1, 8)


def pattern_of(path: str) -> str:
    """A form's address without the names in it.

    >>> pattern_of("/console/waves/county-a/ledger/12"), pattern_of("/console/setup/0a1b2c3d4e5f60718293/2")
    ('/console/waves/*/ledger/*', '/console/setup/*/*')
    """
    path = re.sub(r"^(/console/waves/|/console/setup/|/b/|/s/)(?!thanks|dispute)[^/?]+", r"\1*", path.partition("?")[0])
    return re.sub(r"/(\d+|[0-9a-f]{32}|\d{6}-\d+)(?=/|$)", "/*", path)


def quoted(text: str) -> str:
    """A text as part of an address."""
    return quote(text[:300], safe="", errors="surrogatepass")


async def ledger(at: Taken, text: str) -> Any:
    """One problem from its taking up to its explanation, every text of it hostile."""
    kept = await at.post(f"{DONE}/ledger", text, source="fact", problem=text, basis=text)
    if kept.status_code != 303:
        return kept
    entry = kept.headers["location"]
    for act in ({"act": "start", "due_on": "2026-12-20"}, {"act": "submit"}, {"act": "send_back"}):
        kept = await at.post(entry, text, unit=text, person=text, measures=text, evidence=text, note=text, **act)
    return await at.post(entry, text, act=text, unit=text, person=text, due_on=text, version=text)


async def board(at: Taken, text: str) -> Any:
    """A message from the box beside the questionnaire to its release by a second person."""
    at.n += 1
    key = sha256(f"{at.n}".encode()).hexdigest()[:32]
    # One address may leave thirty in an hour.
    door = httpx.ASGITransport(app=at.site.app, client=(f"10.0.{at.n // 250}.{at.n % 250}", 1))  # type: ignore[arg-type]
    body = urlencode({"k": key, "who": "parent", "text": text}, errors="surrogatepass")
    at.filled.add(("/b/*", "text"))
    async with httpx.AsyncClient(transport=door, base_url=BASE) as person:
        said = await person.post("/b/county-b", content=body, headers=FORM)
    if said.status_code != 200:
        return said
    number = sha256(b"survey/v1/board\x00" + bytes.fromhex(key)).hexdigest()[:32]
    shown = await at.get(f"{RUNNING}/board/{number}")
    theme = await at.post(f"{RUNNING}/board/{number}", text, cleared=text, theme=text, act="propose")
    await at.post(f"{RUNNING}/board/{number}", text, cleared=text, theme="收费", act="propose")
    try:
        await decide_message("county-b", number, "release", actor="yi", now=at.site.clock())
    except SurveyError:
        return theme
    return shown


async def answer(at: Taken, text: str) -> Any:
    """The open question of a slip, sent with everything else missing, and as it is when it is taken in."""
    code = at.codes[at.n % len(at.codes)]
    at.n += 1
    page = await at.get(f"/s/{code}")
    hidden = dict(re.findall(r'<input type="hidden" name="([kvs])" value="([^"]*)"', page.text))
    at.filled.add(("/s/*", at.text_item))
    body = urlencode({**hidden, at.text_item: text, "PA01": text}, errors="surrogatepass")
    return await at.site.client.post(f"/s/{code}", content=body, headers=FORM)


async def handout(at: Taken, text: str) -> Any:
    """What a school's contact types."""
    await at.post("/school/handouts", text, group="parent", class_name=text, n="1", on="2026-11-24")
    await at.post("/school/handouts", text, group=text, class_name=text, n=text, on=text)
    await at.post("/school/spares", text, spare_group="parent", spare_n="1", reason=text)
    return await at.post("/school/spares", text, spare_group=text, spare_n=text, reason=text)


async def frame(at: Taken, text: str) -> Any:
    """A school list whose header, name, code and file name are hostile; as CSV and as a workbook in turn."""
    given = text.encode("utf-8", "replace").decode()
    rows = [["学校代码", "学校名称", "办学类型码", "城乡分类码", given]]
    rows += [["3207042001", given, "211", given, "4"], [given, "一小", given, "121", given]]
    at.n += 1
    if at.n % 2:
        sheet = io.StringIO()
        csv.writer(sheet).writerows(rows)
        made, name = sheet.getvalue().encode(), f"{given[:40]}.csv"
    else:
        made, name = workbook({"学校": rows}), f"{given[:40]}.xlsx"
    file = (re.sub(r'[\r\n"\\\x00]', "", name), made, "text/csv")
    read = await at.post(f"{BEGUN}/frame", text, {"file": file}, map=text, save_map_as=text)
    return [read, await at.get(f"{BEGUN}/frame/faults.csv")]


async def outside(at: Taken, text: str) -> Any:
    """Answers collected elsewhere, with hostile columns, values and words of the spec."""
    given = text.encode("utf-8", "replace").decode()
    sheet = io.StringIO()
    at.n += 1
    # A name that no column may have ends the way; with a plain one it leads on to the files.
    column = given if at.n % 4 == 0 else "g"
    csv.writer(sheet).writerows([["q1", column], *([str(1 + n % 2), given] for n in range(20))])
    words = UNWRITABLE.sub("", given[:200]).strip() or "x"
    spec = {
        "title": words,
        "design": {"stages": [{"population": 5000}]},
        "items": [{"column": "q1", "id": "q", "label": words, "satisfied": [1]}],
        "domains": [{"by": column}],
    }
    files = {"spec": ("s.yaml", json.dumps(spec, ensure_ascii=False).encode()), "cases": ("f.csv", sheet.getvalue().encode())}
    asked = await at.post("/console/outside", text, files)
    selects = re.findall(r'<select[^>]* name="(column_\d+)">(.*?)</select>', asked.text, re.DOTALL)
    chosen = {name: unescape(one[1]) for name, options in selects if (one := re.search("<option selected>(.*?)</option>", options, re.DOTALL))}
    replies = [asked, await at.post("/console/outside/table", text, **chosen)]
    for name in ("map.json", "results.csv", "results.xlsx", *(["report.pdf"] if at.n % 20 == 0 else [])):
        replies.append(await at.get(f"/console/outside/{name}"))
    return replies


async def files_of_setup(at: Taken, text: str) -> Any:
    """A scheme, a questionnaire and an emblem, each full of the string; now and then as a workbook."""
    given = text.encode("utf-8", "replace").decode()
    at.n += 1
    named = json.dumps({"id": given, "title": {"zh": given}, given: [given], "sections": [{"items": [{"id": given}]}]}, ensure_ascii=False)
    form = ("q.yaml", named.encode())
    if at.n % 10 == 0:
        sheets = {"题目": [["题目标题", "题型", "选项内容"], [given, "单选", f"{given}\n满意"], ["您满意吗？", given, given]]}
        if at.n % 20 == 0:
            sheets = {"survey": [["type", "name", "label"], [given, "q1", given]], "choices": [["list_name", "name", "label"], [given, given, given]]}
        form = ("q.xlsx", workbook(sheets))
    picture = f"<svg xmlns='http://www.w3.org/2000/svg'><text>{given}</text><g id='zq7' onload='alert(1)'/></svg>"
    files = {"scheme_file": ("s.yaml", named.encode()), "instrument_file": form, "emblem_file": ("e.svg", picture.encode())}
    for name, file in files.items():
        step = at.file_steps[name]
        shown = await at.post(f"/console/setup/{at.draft}/{step}", text, {name: file}, go=str(step))
    return shown


async def setup(at: Taken, text: str) -> Any:
    """Every text field of every step of set-up, kept, and shown again."""
    for step in STEPS_OF_SETUP:
        await at.post(f"/console/setup/{at.draft}/{step}", text, go="next", **dict.fromkeys(at.steps[step], text))
    return await at.get(f"/console/setup/{at.draft}/{1 + at.n % 8}")


async def accounts(at: Taken, text: str) -> Any:
    """What the command line lets an administrator name: a person, a token, a division; then the page of people."""
    at.n += 1
    acts = (
        new_account(f"p{at.n}", text, ("auditor",), actor=text[:40] or "x", now=NOW),
        issue_token("jia", text, frozenset({"waves:read"}), NOW - NOW, actor="test", now=NOW),
        place_division(f"9{at.n:011d}", "360000", text, actor="test", now=NOW),
    )
    for act in acts:
        try:
            await act
        except (SurveyError, UnicodeEncodeError, ValueError):
            pass
    return None


async def new_person(at: Taken, text: str) -> Any:
    """Somebody whose name is hostile, and their own page."""
    at.n += 1
    made = await at.post("/console/people/new", text, name=f"n{at.n}", display=text, divisions="", role_auditor="1")
    return [made, await at.get(f"/console/people/account/n{at.n}")]


async def api(at: Taken, text: str) -> Any:
    """Every text of a write, of a query and of a header."""
    taken = await at.write(f"{API}/ledger", {"source": "fact", "problem": text, "basis": text, "source_key": text[:200]})
    await at.write(f"{API}/ledger", {"source": text, "problem": text, "basis": text, text: text})
    await at.write(f"{API}/ledger", {"source": "fact", "problem": "x", "basis": "y"}, **{"Idempotency-Key": visible(text)})
    if taken.status_code == 201:
        number = taken.json()["number"]
        act = {"act": "start", "due_on": "2026-12-20", "unit": text, "person": text, "measures": text, "note": text}
        await at.write(f"{API}/ledger/{number}/acts", act)
        await at.write(f"{API}/ledger/{number}/acts", {"act": text, "due_on": text[:20]})
        return await at.get(f"{API}/ledger/{number}")
    return taken


def visible(text: str) -> str:
    """What a header can carry of a text: latin letters without line ends."""
    return "".join(sign for sign in text if " " <= sign <= "\xff" and sign != "\x7f").strip()[:200] or "x"


def header(name: str) -> Door:
    """A door through one request header, shown or not on one's own account."""

    async def send(at: Taken, text: str) -> Any:
        headers = [(name.encode(), visible(text).encode("latin-1"))]
        return await at.site.client.get("/console/account", headers=headers)

    return send


def workbook(sheets: dict[str, list[list[str]]]) -> bytes:
    """Sheets of text cells, as an office's program writes them."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet: Any = book.create_sheet(title)
        for line, row in enumerate(rows, start=1):
            for column, text in enumerate(row, start=1):
                cell = sheet.cell(line, column)
                cell.value = UNWRITABLE.sub("", text)
                cell.data_type = "s"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


DOORS: dict[str, Door] = {
    "code": lambda at, text: at.post("/s", text, code=text),
    "dispute": lambda at, text: at.post("/s/dispute", text, code=text),
    "slip in the address": lambda at, text: at.get(f"/s/{quoted(text)}"),
    "look": lambda at, text: at.get("/s", lang=text[:300], z=text[:300]),
    "page": lambda at, text: at.get(f"/{quoted(text)}"),
    "answer": answer,
    "verify": lambda at, text: at.get("/v", number=text[:500], code=text[:500]),
    "verify a file": lambda at, text: at.site.client.post(
        "/v/file", files={"file": (quoted(text)[:50] + ".json", json.dumps({"statement": {"wave": text}}).encode())}
    ),
    "check a receipt": lambda at, text: at.post("/check", text, receipt=text),
    "board": board,
    "sign in": lambda at, text: at.post("/console/sign-in", text, name=text, password="", next=text),
    "sign in, password": lambda at, text: at.post("/console/sign-in", text, name="", password=text),
    "sign-in code": lambda at, text: at.post("/console/sign-in/code", text, code=text),
    "sign-in link": lambda at, text: at.get(f"/console/sign-in/{quoted(text)}"),
    "ledger": ledger,
    "ledger, source": lambda at, text: at.post(f"{DONE}/ledger", text, source=text, source_key=text, problem="x", basis=text),
    "ledger filter": lambda at, text: at.get(f"{DONE}/ledger", state=text[:500]),
    "launch": lambda at, text: at.post(f"{BEGUN}/launch", text, tick_papers="1", tick_backup="1", tick_read="1", person=text, note=text),
    "launch, note": lambda at, text: at.post(f"{BEGUN}/launch", text, tick_papers="1", person="李主任", note=text),
    "launch untick": lambda at, text: at.post(f"{BEGUN}/launch/untick", text, item=text),
    "publish": lambda at, text: at.post(f"{BEGUN}/publish", text, confirm=text),
    "signing": lambda at, text: at.post(f"{BEGUN}/signing", text, act="签署方案", confirm=text, operator=text, approver=text),
    "signers": lambda at, text: at.post("/console/signers", text, role=text, passphrase=text, again="x"),
    "contact": lambda at, text: at.post(f"{RUNNING}/schools/link", text, school=at.school, contact=text),
    "contact's school": lambda at, text: at.post(f"{RUNNING}/schools/link", text, school=text, contact="教务主任"),
    "contact's end": lambda at, text: at.post(f"{RUNNING}/schools/withdraw", text, school=text),
    "school": handout,
    "school link": lambda at, text: at.get(f"/school/in/{quoted(text)}"),
    "seed": lambda at, text: at.post(f"{BEGUN}/sample", text, seed=text, reason=text),
    "papers": lambda at, text: at.post(f"{RUNNING}/papers", text, schools=text, size=text, language=text),
    "extension": lambda at, text: at.post(f"{RUNNING}/extension", text, until=text, operator=text, approver=text),
    "void": lambda at, text: at.post(f"{RUNNING}/flags/void", text, school=text, group=text, reason=text, confirm=text),
    "leftovers": lambda at, text: at.post(f"{RUNNING}/leftovers", text, lines=text, second=text, confirm=text),
    "typed code": lambda at, text: at.post(f"{RUNNING}/paper/form", text, code=text),
    "typed form": lambda at, text: at.post(f"{RUNNING}/paper", text, code=at.codes[0], mode="paper", **{at.text_item: text, "PA01": text}),
    "call-backs": lambda at, text: at.post(f"{RUNNING}/callbacks", text, ticket=text, outcome=text, answer=text, day=text),
    "call-backs, how many": lambda at, text: at.post(f"{RUNNING}/callbacks/draw", text, n=text),
    "webhook": lambda at, text: at.post("/console/webhooks", text, label=text, url="http://127.0.0.1/x"),
    "webhook's address": lambda at, text: at.post("/console/webhooks", text, label="督导系统", url=text),
    "webhook's new secret": lambda at, text: at.post(f"/console/webhooks/{quoted(text)}/renew", text),
    "webhook's end": lambda at, text: at.post(f"/console/webhooks/{quoted(text)}/end", text),
    "frame": frame,
    "outside": outside,
    "outside, example": lambda at, text: at.post("/console/outside", text, example=text),
    "files of set-up": files_of_setup,
    "set-up": setup,
    "set-up, like": lambda at, text: at.post("/console/setup", text, like=text),
    "county": lambda at, text: at.get(f"/console/counties/{quoted(text)}"),
    "wave": lambda at, text: at.get(f"/console/waves/{quoted(text)}"),
    "password": lambda at, text: at.post("/console/account/password", text, password=text, again="x"),
    "password again": lambda at, text: at.post("/console/account/password", text, password="x", again=text),
    "one-time code": lambda at, text: at.post("/console/account/code", text, code=text),
    "one-time code's end": lambda at, text: at.post("/console/account/code/end", text, code=text),
    "certify": lambda at, text: at.post(f"{DONE}/certify/prepare", text, password=text, code=text, reason=text, passphrase=text),
    "certify, back": lambda at, text: at.post(f"{DONE}/certify/back", text, password=text, code=text, note=text),
    "people": accounts,
    "person": lambda at, text: at.post("/console/people/new", text, name=text, display=text, divisions=text, role_auditor="1"),
    "person, name": new_person,
    "area": lambda at, text: at.post(f"{BEGUN}/areas/new", text, name=text, code=""),
    "area, code": lambda at, text: at.post(f"{BEGUN}/areas/new", text, name=text, code=text),
    "areas, a list": lambda at, text: at.post(f"{BEGUN}/areas", text, act="list", lines=text),
    "area's end": lambda at, text: at.post(f"{BEGUN}/areas/320704-01/end", text, confirm=text),
    "flags, void": lambda at, text: at.post(f"{RUNNING}/flags/void", text, **dict.fromkeys(("operator", "approver", "reason", "school", "group"), text)),
    "ledger, about": lambda at, text: at.post(f"{DONE}/ledger", text, source="fact", problem=text, basis="x", about=text),
    "api": api,
    "api, wave": lambda at, text: at.get(f"/api/v1/waves/{quoted(text)}/figure"),
    "api, page": lambda at, text: at.get("/api/v1/waves", cursor=text[:300], limit=text[:300]),
    "agent": header("User-Agent"),
    "language": header("Accept-Language"),
    "forwarded": header("X-Forwarded-For"),
    "referer": header("Referer"),
    "traced": header("X-Request-Id"),
}  # fmt: skip
"""Name to the function; a reply is read as a browser would read it, each of several too."""


def plan_words(strings: tuple[str, ...], most: int) -> list[str]:
    """Those that a plan and a list of schools take as they are: short, and of signs one can see."""
    return [text for text in strings if 0 < len(text) <= most and text.isprintable() and text == unicodedata.normalize("NFC", text).strip()]


def schools_named(names: list[str]) -> bytes:
    """The sample county's list with every school called by another of the names."""
    head, *rows = csv.reader(io.StringIO(county_frame().decode("utf-8-sig")))
    sheet = io.StringIO()
    csv.writer(sheet).writerows([head, *([row[0], names[at % len(names)], *row[2:]] for at, row in enumerate(rows))])
    return sheet.getvalue().encode()


async def hostile_wave(site: Site, strings: tuple[str, ...]) -> None:
    """The wave `county-b`, drawn: its county, title, office and schools are called by the strings."""
    words = plan_words(strings, 60)
    called = {"title": words[0], "county": words[-1], "office": words[len(words) // 2]}
    plan = msgspec.structs.replace(read_plan(example_plan_text()), wave="county-b", base_url=BASE, spares=2, **called)
    await create_wave(encode(plan_document(plan)), actor="test", now=NOW)
    await import_frame("county-b", schools_named(words), "frame.csv", actor="test", now=NOW)
    await draw_wave("county-b", "20261124", actor="test", now=NOW)


async def taken_in(site: Site, strings: tuple[str, ...]) -> Taken:
    """A certified wave, a running one and one being set up; a school; and somebody who may do all."""
    app: Any = site.app
    app.state.settings = replace(site.settings, webhook_private=True)
    await hostile_wave(site, strings)
    signers = open_signers(site.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    await sign_plan(site.settings, site.office, "county-b", signers, actor="test", now=NOW)
    codes = [code for code, domain in load_print_file(site.settings, "county-b") if domain.endswith("-P")]
    await publish_wave(site.settings, site.office, "county-b", actor="test", now=NOW)
    await site.wave("county-c", until="framed")
    await site.sign_in("jia", ("admin", "operator", "reviewer", "approver"))
    await site.person("demo")
    at = Taken(site, await site.token(*SCOPES), await site.form_key(), "", "", "", codes, {}, {}, "PA25")
    at.school = next(iter((await load_sample("county-b")).schools))
    page = await at.post(f"{RUNNING}/schools/link", "", school=at.school, contact="教务主任")
    await site.client.post(re.search(r"(/school/in/[\w-]+)", page.text)[1], headers=SAME_ORIGIN)  # type: ignore[index]
    at.school_key = re.search(r'name="school_key" value="(\w+)"', (await at.get("/school")).text)[1]  # type: ignore[index]
    begun = await at.post("/console/setup", "", like="")
    at.draft = begun.headers["location"].split("/")[3]
    for step in STEPS_OF_SETUP:
        page = (await at.get(f"/console/setup/{at.draft}/{step}")).text
        at.steps[step] = TEXT_FIELDS.findall(page)
        at.file_steps |= dict.fromkeys(re.findall(r'name="([^"]+)" type="file"', page), step)
    return at


def text_fields(path: str, page: str) -> set[tuple[str, str]]:
    """(form, field) of every text field on a page."""
    found = set()
    for form in re.findall(r"<form\b.*?</form>", page, re.DOTALL):
        target = re.search(r'action="([^"]*)"', form.partition(">")[0])
        action = pattern_of(target[1] if target and target[1] else path)
        found |= {(action, name) for name in TEXT_FIELDS.findall(form)}
    return found
