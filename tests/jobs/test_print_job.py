"""A print job: one archive, made file by file, whole or not there; slips counted off by class."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest

from survey.documents.imprint import Imprint
from survey.documents.pieces import Piece, PrintingStoppedError
from survey.documents.poster import PosterPage, poster_pieces
from survey.documents.slip import SlipPile
from survey.documents.typeface import MissingGlyphError
from survey.errors import FaultsError
from survey.jobs.class_piles import read_class_piles
from survey.jobs.print_job import write_papers
from survey.jobs.render_papers import PaperJob, grades_asked
from survey.sampling.sample import DomainDraw

AT = datetime(2026, 11, 24, tzinfo=UTC)
IMPRINT = Imprint("万安县", "万安县教育督导室", "0796-5701234", "https://survey.wanan.cn", date(2026, 12, 5))


def job_of(*pieces: Piece) -> PaperJob:
    return PaperJob("wave-1", pieces, AT)


def pages(*names: str) -> list[PosterPage]:
    return [PosterPage("parent", 4, school_name=name, school_code=str(n)) for n, name in enumerate(names)]


def test_the_archive_holds_every_file_and_a_list_of_the_paper_needed(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    target = tmp_path / "print" / "papers.zip"
    job = job_of(
        *poster_pieces(pages("甲校", "乙校"), IMPRINT, "a3", at=AT, folder="2_海报/"),
        Piece("4_告知/文字.txt", lambda: "话".encode(), ""),
    )
    done = write_papers(job, target, progress=lambda made, of: told.append((made, of)))

    with ZipFile(target) as packed:
        assert packed.namelist() == [
            "2_海报/0_甲校_海报A3.pdf", "2_海报/1_乙校_海报A3.pdf", "4_告知/文字.txt", "0_打印清单.csv"
        ]  # fmt: skip
        assert packed.read("0_打印清单.csv").decode("utf-8-sig").splitlines()[-1] == "合计,A3,2"
    assert (done.files, done.pages, done.paper, told[-1]) == (3, 2, {"A3": 2}, (3, 3))
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_same_job_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        write_papers(job_of(*poster_pieces(pages("甲校", "乙校", "丙校"), IMPRINT, at=AT)), tmp_path / name)

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_stopped_or_broken_job_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "papers.zip"
    done: list[int] = []
    with pytest.raises(PrintingStoppedError):
        write_papers(
            job_of(*poster_pieces(pages("甲校", "乙校", "丙校"), IMPRINT, at=AT)),
            target,
            progress=lambda made, _: done.append(made),
            stopped=lambda: len(done) > 0,
        )
    with pytest.raises(MissingGlyphError):
        write_papers(job_of(*poster_pieces(pages("甲校", "😀校"), IMPRINT, at=AT)), target)

    assert done == [1]
    assert list(tmp_path.iterdir()) == []


def test_slips_are_counted_off_by_class_and_none_is_lost_or_doubled() -> None:
    classes = read_class_piles(
        "学校代码,人员,班级,张数\n1,家长,三年级1班,2\n1,家长,三年级2班,3\n".encode(), "c.csv"
    )
    codes = tuple(map(str, range(7)))
    piles = classes.divided(SlipPile("parent", codes, "甲校", "1"))

    assert [(pile.class_name, len(pile.codes)) for pile in piles] == [
        ("三年级1班", 2),
        ("三年级2班", 3),
        ("", 2),
    ]
    assert tuple(code for pile in piles for code in pile.codes) == codes
    assert classes.divided(SlipPile("teacher", codes, "甲校", "1"))[0].codes == codes


def test_every_fault_of_a_class_list_is_told_at_once_with_its_row() -> None:
    text = "学校代码,人员,班级,张数\n1,家长,,2\n1,校友,一班,2\n1,家长,二班,多\n"
    with pytest.raises(FaultsError) as refusal:
        read_class_piles(text.encode(), "c.csv")

    assert [(fault.row, fault.column) for fault in refusal.value.faults] == [
        (2, "班级"),
        (3, "人员"),
        (4, "张数"),
    ]


def test_a_class_list_cannot_ask_for_more_than_was_drawn() -> None:
    draw = DomainDraw("1-P", "parent", "1", "甲校", "s", "town", "primary", 90, 4, "1", "parents")
    text = "学校代码,人员,班级,张数\n1,家长,一班,3\n1,家长,二班,2\n2,家长,一班,1\n"
    with pytest.raises(FaultsError) as refusal:
        read_class_piles(text.encode(), "c.csv").check([draw])

    assert [fault.row for fault in refusal.value.faults] == [3, 4]
    assert "一共只有4张纸条" in str(refusal.value.faults[0])


@pytest.mark.parametrize(
    ("from_grade", "stages", "grades"),
    [
        (4, {"primary"}, (4, 6)),
        (4, {"primary", "junior"}, (4, 9)),
        (None, {"junior"}, (7, 9)),
    ],
)
def test_the_notice_names_the_grades_that_are_asked(from_grade, stages, grades) -> None:
    assert grades_asked(from_grade, stages) == grades
