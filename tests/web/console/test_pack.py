"""The evidence pack: whole, indexed, the same twice, verifiable once unpacked, and free of what is secret."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import re
import shutil
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from click.testing import CliRunner

from survey.cli.main import main
from survey.cli.session import at_desk
from survey.documents.evidence_pack import SECTIONS
from survey.jobs.pack_wave import pack_wave
from survey.settings import Settings, load_settings
from survey.storage.board import add_message
from survey.storage.cases import load_cases
from survey.storage.print_files import load_print_file

from ..conftest import BASE, NOW

OPEN_TEXT = "食堂的饭菜希望再热一点"


@pytest.fixture(scope="module")
def packed(certified_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path, set[str]]:
    """The pack of a wave with a written message, unpacked, and what must not be in it."""
    folder = tmp_path_factory.mktemp("packed")
    shutil.copytree(certified_folder, folder / "data")
    settings = load_settings({}, data=folder / "data", base_url=BASE)

    async def make() -> tuple[bytes, bytes, set[str]]:
        async with at_desk(settings):
            await add_message("county-a", "a" * 32, "parent", OPEN_TEXT, on=NOW.date())
            one, other = [
                await packed_at(settings, NOW + timedelta(days=days))
                for days in (0, 40)
            ]
            secret = {code for code, _ in load_print_file(settings, "county-a")} | {OPEN_TEXT}
            secret |= {record for _, record in await load_cases("county-a")}
            return one, other, secret

    one, other, secret = asyncio.run(make())
    assert one == other
    zipfile.ZipFile(io.BytesIO(one)).extractall(folder / "unpacked")
    return one, folder / "unpacked" / "云台区_county-a_建档", secret


async def packed_at(settings: Settings, now: datetime) -> bytes:
    """The pack as it is made at an instant."""
    made = io.BytesIO()
    await pack_wave(settings, "county-a", made, actor="test", now=now)
    return made.getvalue()


def test_every_file_stands_in_the_index_with_its_digest(packed: tuple[bytes, Path, set[str]]) -> None:
    _, root, _ = packed
    with (root / "00_目录.csv").open(encoding="utf-8-sig", newline="") as file:
        index = {row["文件"]: row for row in csv.DictReader(file)}
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    sums = dict(reversed(line.split("  ")) for line in (root / "SHA256SUMS").read_text().splitlines())

    assert found == set(index) | {"00_目录.csv", "00_目录.pdf", "SHA256SUMS"}
    assert set(sums) == found - {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((root / name).read_bytes()).hexdigest() == digest
        assert name.startswith("00_") or index[name]["SHA-256"] == digest
    assert [folder.name[3:] for folder in sorted(root.iterdir()) if folder.is_dir()] == list(SECTIONS)


def test_what_is_inside_still_verifies_after_unpacking(packed: tuple[bytes, Path, set[str]]) -> None:
    _, root, _ = packed
    signed = root / "09_签名和证书"
    verdicts = {
        name: CliRunner().invoke(main, ["verify", str(signed / name)]).exit_code
        for name in ("certificate.json", "bundle.zip")
    }
    altered = bytearray((signed / "certificate.json").read_bytes())
    altered[altered.index(b'"shown":"0.') + 11] ^= 1
    (signed / "altered.json").write_bytes(altered)

    assert verdicts == {"certificate.json": 0, "bundle.zip": 0}
    assert CliRunner().invoke(main, ["verify", str(signed / "altered.json")]).exit_code == 1


def test_no_code_no_answer_and_no_written_text_is_in_any_file(packed: tuple[bytes, Path, set[str]]) -> None:
    _, root, secret = packed
    told = []
    for path in (path for path in root.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if zipfile.is_zipfile(path) and path.suffix != ".pyz":
            with zipfile.ZipFile(path) as inner:
                data += b"\n".join(inner.read(name) for name in inner.namelist())
        if path.suffix == ".pdf":
            data += "".join(page.get_textpage().get_text_bounded() for page in pdfium.PdfDocument(path)).encode()
        told += [(path.name, word[:12]) for word in secret if word.encode() in data]
        if b"PRIVATE KEY-----" in data and path.suffix != ".pyz":
            told.append((path.name, "key"))

    assert len(secret) > 800
    assert told == []


def test_the_program_in_r_finds_every_file_it_reads_beside_it(packed: tuple[bytes, Path, set[str]]) -> None:
    _, root, _ = packed
    beside = root / "07_计数和算法"
    asked = set(re.findall(r'read(?:\.csv|Lines)\("([^"]+)"', (beside / "figure.R").read_text(encoding="utf-8")))

    assert asked == {"counts.csv", "statement.json"}
    assert [name for name in asked if not (beside / name).is_file()] == []


def test_a_sheet_without_rows_says_so_in_the_index(packed: tuple[bytes, Path, set[str]]) -> None:
    _, root, _ = packed
    with (root / "00_目录.csv").open(encoding="utf-8-sig", newline="") as file:
        index = {row["文件"].partition("_")[2].partition("_")[2]: row for row in csv.DictReader(file)}

    assert index["家长.pdf"]["编号"] == index["家长.pdf"]["文件"].partition("/")[2].partition("_")[0]
    assert int(index["结果证书.pdf"]["页数"]) == 1 and int(index["报告.pdf"]["页数"]) > 10
    for name in ("学校发放登记.csv", "质量提示.csv", "发布前检查.csv", "签发步骤.csv"):
        rows = next(root.glob(f"*/*_{name}")).read_text(encoding="utf-8-sig").splitlines()[1:]
        assert index[name]["内容"].endswith("（没有记录）") is not bool(rows), name
