"""The analysis file: whatever opens it finds the same values, labels and missing codes, and the same figure."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import zipfile
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Tree

import numpy as np
import pyarrow.parquet as pq
import pyreadstat
import pytest
from lxml import etree

from survey.documents.microdata import DDI, SILENCES, analysis_pack, as_ddi
from survey.estimation.analysis_file import AnalysisFile, analysis_file
from survey.jobs.estimate_wave import wave_results
from survey.storage.frames import load_frame

from ..conftest import NOW, running

FACTS = dict.fromkeys(("county", "office", "opens_on", "closes_on", "response_rate", "formula"), "甲") | {"caution": "甲不能引用"}


SCHEMA = Path(__file__).with_name("ddi_codebook_2_5_reduced.xsd")
"""What of DDI-Codebook 2.5 we write; no package that could be installed carries the whole schema."""


@pytest.fixture(scope="module")
def pack(certified_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[AnalysisFile, Path]:
    """The analysis file of a certified wave, and its pack unpacked."""
    import asyncio

    folder = tmp_path_factory.mktemp("pack")
    shutil.copytree(certified_folder, folder / "data")

    async def columns() -> AnalysisFile:
        async with running(folder / "data") as site:
            schools = [(one.code, one.name) for one in (await load_frame("county-a")).schools]
            (folder / "schools.json").write_text(json.dumps(schools), encoding="utf-8")
            return analysis_file(await wave_results(site.office, "county-a"))

    made = asyncio.run(columns())
    written = io.BytesIO()
    analysis_pack(written, made, FACTS, at=NOW)
    zipfile.ZipFile(written).extractall(folder)
    return made, folder


def test_every_format_holds_the_same_values(pack: tuple[AnalysisFile, Path]) -> None:
    columns, folder = pack
    name = "county-a_answers"
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    parquet = pq.read_table(folder / f"{name}.parquet").to_pydict()
    sav, _ = pyreadstat.read_sav(folder / f"{name}.sav", output_format="dict", user_missing=True)
    dta, _ = pyreadstat.read_dta(folder / f"{name}.dta", output_format="dict")
    for variable in columns.variables:
        as_csv = [row[variable.name] for row in rows]
        for other in (parquet, sav):
            theirs = [_plain(value) for value in other[variable.name]]
            assert theirs == [_plain(value) for value in variable.values], variable.name
        # To Stata a silence is a missing value.
        spoken = [None if variable.question and value in SILENCES else _plain(value) for value in variable.values]
        assert [_plain(value) for value in dta[variable.name]] == spoken, variable.name
        assert [value == "" for value in as_csv] == [value is None for value in variable.values]


def test_labels_and_missing_codes_travel_with_the_data(pack: tuple[AnalysisFile, Path]) -> None:
    columns, folder = pack
    _, sav = pyreadstat.read_sav(folder / "county-a_answers.sav", metadataonly=True, user_missing=True)
    tagged, dta = pyreadstat.read_dta(folder / "county-a_answers.dta", output_format="dict", user_missing=True)
    item = next(one for one in columns.variables if one.question)
    fields = {field.name: field.metadata or {} for field in pq.read_schema(folder / "county-a_answers.parquet")}
    letters = [SILENCES[value] for value in item.values if value in SILENCES]

    assert sav.column_names_to_labels[item.name] == item.label
    assert sav.variable_value_labels[item.name][98.0].startswith("说不清")
    assert sav.missing_ranges[item.name] == [{"lo": 96.0, "hi": 99.0}]
    assert dta.variable_value_labels[item.name]["d"] == "没有选"
    assert len(letters) > 3 and [value for value in tagged[item.name] if value in SILENCES.values()] == letters
    assert json.loads(fields[item.name][b"values"])["98"].startswith("说不清")
    assert json.loads(fields[item.name][b"missing"]) == [96, 97, 98, 99]
    assert sav.variable_measure["weight"] == "scale" and sav.original_variable_types[item.name] == "F8.0"


def test_whoever_unpacks_it_reads_what_each_file_and_column_is(pack: tuple[AnalysisFile, Path]) -> None:
    columns, folder = pack
    told = (folder / "README.txt").read_text(encoding="utf-8")
    names = [one.name for one in columns.variables]
    last_item = max(names.index(one.name) for one in columns.variables if one.question)

    assert told.startswith(f"{columns.title}（county-a）\n甲不能引用\n")
    assert [path.name for path in folder.glob("*answers*") if path.name not in told] == []
    assert [name for name in names[:15] if name not in told] == [] and names[last_item] in told
    # Two hundred weights before the first question would hide the questions in any program.
    assert last_item < names.index("rep_001") and names[-1] in told


def test_no_school_name_code_or_typed_word_is_in_any_file(pack: tuple[AnalysisFile, Path]) -> None:
    _columns, folder = pack
    schools = json.loads((folder / "schools.json").read_text(encoding="utf-8"))
    # What a Parquet, SAV or DTA file holds is compressed or packed: it is read back, then searched.
    said = {
        path.name: path.read_text(encoding="utf-8-sig")
        for path in folder.glob("*")
        if path.suffix in (".csv", ".xml", ".R", ".txt")
    }
    parquet = pq.read_table(folder / "county-a_answers.parquet")
    sav, sav_words = pyreadstat.read_sav(folder / "county-a_answers.sav", output_format="dict")
    dta, dta_words = pyreadstat.read_dta(folder / "county-a_answers.dta", output_format="dict")
    said |= {
        "parquet": f"{parquet.schema} {parquet.to_pydict()}",
        "sav": f"{sav} {vars(sav_words)}",
        "dta": f"{dta} {vars(dta_words)}",
    }
    found = [
        (name, word) for name, text in said.items() for code, school in schools for word in (code, school) if word in text
    ]

    assert len(said) == 7 and len(schools) > 20
    assert found == []


def test_the_codebook_names_every_variable_and_code(pack: tuple[AnalysisFile, Path]) -> None:
    columns, folder = pack
    book = Tree.parse(folder / "county-a_answers.ddi.xml").getroot()
    variables = book.findall(f"{{{DDI}}}dataDscr/{{{DDI}}}var")
    weights = [one.get("name") for one in variables if one.get("wgt") == "wgt"]

    assert [one.get("name") for one in variables] == [one.name for one in columns.variables]
    n_replicates = sum(one.name.startswith("rep_") for one in columns.variables)
    assert weights == ["weight_before", "weight", *(f"rep_{n:03d}" for n in range(1, n_replicates + 1))]
    for one, variable in zip(variables, columns.variables, strict=True):
        values = [value.text for value in one.findall(f"{{{DDI}}}catgry/{{{DDI}}}catValu")]
        assert values == [str(code.value) for code in variable.codes]
    assert [child.tag.removeprefix(f"{{{DDI}}}") for child in book] == ["stdyDscr", "fileDscr", "dataDscr"]


def test_the_weighted_ratio_of_two_columns_is_the_figure(pack: tuple[AnalysisFile, Path]) -> None:
    columns, _ = pack
    w = np.array(next(one.values for one in columns.variables if one.name == "weight"))

    assert _figure(columns, w) == pytest.approx(float(columns.figure), rel=1e-12)


def test_the_codebook_is_valid_by_its_schema(pack: tuple[AnalysisFile, Path]) -> None:
    columns, folder = pack
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    book = etree.parse(folder / "county-a_answers.ddi.xml")
    valid, told = schema.validate(book), schema.error_log.filter_from_errors()
    ids = [one.get("ID") for one in book.iter() if one.get("ID")]
    variables = list(book.iter(f"{{{DDI}}}var"))
    continuous = [one.get("name") for one in variables if one.get("intrvl") == "contin"]
    refused = []
    for where, spoil in (
        ("citation/titlStmt", lambda one: one.append(one[0])),
        ("stdyInfo/sumDscr/collDate", lambda one: one.set("event", "begin")),
        ("method/dataColl/weight", lambda one: one.set("var", "V1")),
        ("stdyInfo", lambda one: etree.SubElement(one, f"{{{DDI}}}titl")),
    ):
        spoilt = deepcopy(book)
        spoil(spoilt.find("/".join(f"{{{DDI}}}{tag}" for tag in f"stdyDscr/{where}".split("/"))))
        refused.append(schema.validate(spoilt))

    assert valid, told
    assert refused == [False] * 4
    # What libxml2 leaves to us of an ID and its references.
    assert len(ids) == len(set(ids))
    assert {one.get("files") for one in variables} == {"F1"} <= set(ids)
    assert set(continuous) == {one.name for one in columns.variables if any(isinstance(value, float) for value in one.values)}


def test_a_codebook_can_be_read_whatever_was_typed(pack: tuple[AnalysisFile, Path]) -> None:
    columns, _ = pack
    facts = {**FACTS, "formula": "<b>\x00\x0b]]>&\ud800\uffff满意"}
    book = etree.fromstring(as_ddi(replace(columns, title="a\x1bb"), facts, "x.csv"))

    assert book.findtext(f".//{{{DDI}}}abstract") == "<b>]]>&满意"
    assert book.findtext(f".//{{{DDI}}}titl") == "ab"


def test_replicate_weights_meet_the_known_totals_and_give_the_standard_error(
    pack: tuple[AnalysisFile, Path],
) -> None:
    columns, _ = pack
    held = {one.name: one.values for one in columns.variables}
    weights = np.array([held[name] for name in held if name.startswith("rep_")])
    full, cells = np.array(held["weight"]), np.array(held["poststratum"])
    figures = [_figure(columns, one) for one in weights]
    se = np.sqrt(columns.replicate_scale * sum((one - float(columns.figure)) ** 2 for one in figures))

    assert (weights[:, full > 0] > 0).all()
    for cell in np.unique(cells):
        assert weights[:, cells == cell].sum(axis=1) == pytest.approx(full[cells == cell].sum(), rel=1e-9)
    # Persons of later stages share columns where there are more of them than columns.
    assert se == pytest.approx(columns.se, rel=0.02)


def _figure(columns: AnalysisFile, w: np.ndarray) -> float:
    held = {one.name: one.values for one in columns.variables}
    top, base = (np.array([value or 0.0 for value in held[name]]) for name in ("figure_top", "figure_base"))
    group = np.array(held["group"])
    return sum(
        float(share) * (w * top)[group == name].sum() / (w * base)[group == name].sum()
        for name, share in columns.shares.items()
    )


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="needs R with its survey package")
def test_r_gives_the_published_figure_and_standard_error(pack: tuple[AnalysisFile, Path]) -> None:
    columns, folder = pack
    said = subprocess.run(
        ["Rscript", "open_in_R.R"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"figure ([0-9.]+)  se ([0-9.]+)", said)
    again = re.search(r"replicates ([0-9.]+)  se ([0-9.]+)", said)
    weights = [np.array(one.values) for one in columns.variables if one.name.startswith("rep_")]
    squares = sum((_figure(columns, one) - float(columns.figure)) ** 2 for one in weights)

    assert found is not None and again is not None
    assert float(found[1]) == pytest.approx(float(columns.figure), abs=6e-7)
    # A school × group with one answer out of several borrows its spread: R from the whole stage, we from
    # its own school. Here that moves the standard error by a ten-thousandth of itself.
    assert float(found[2]) == pytest.approx(columns.se, rel=5e-4)
    assert float(again[1]) == pytest.approx(float(columns.figure), abs=6e-7)
    assert float(again[2]) == pytest.approx(np.sqrt(columns.replicate_scale * squares), abs=6e-7)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="needs R with haven and foreign")
def test_r_reads_the_same_weighted_share_from_every_format(pack: tuple[AnalysisFile, Path]) -> None:
    columns, folder = pack
    script = """
      share <- function(d) cat(nrow(d), ncol(d), sprintf("%.12f", sum(d$weight * d$figure_top, na.rm = TRUE) /
        sum(d$weight * d$figure_base, na.rm = TRUE)), "\\n")
      opinion <- function(x) x[!is.na(x) & x < 96]
      asked <- "PA20"
      dta <- haven::read_dta("county-a_answers.dta")
      sav <- haven::read_sav("county-a_answers.sav")
      csv <- read.csv("county-a_answers.csv", fileEncoding = "UTF-8-BOM")
      share(csv)
      share(as.data.frame(sav))
      share(as.data.frame(dta))
      share(suppressWarnings(foreign::read.spss("county-a_answers.sav", to.data.frame = TRUE, use.value.labels = FALSE)))
      cat(mean(opinion(csv[[asked]])), mean(sav[[asked]], na.rm = TRUE), mean(dta[[asked]], na.rm = TRUE), "\\n")
      cat(sum(csv[[asked]] %in% 98), sum(haven::na_tag(dta[[asked]]) %in% "c"), "\\n")
      cat(attr(dta[[asked]], "label"), "\\n")
    """
    said = subprocess.run(["Rscript", "-e", script], cwd=folder, capture_output=True, text=True, check=True).stdout
    told, means, unsure, label = said.split("\n")[:4], *said.split("\n")[4:7]

    assert len(set(told)) == 1
    assert len(set(means.split())) == 1 and 1 < float(means.split()[0]) < 5
    assert len(set(unsure.split())) == 1 and int(unsure.split()[0]) > 0
    assert label.strip() == next(one.label for one in columns.variables if one.name == "PA20")
    assert told[0].split()[:2] == [str(len(columns.variables[0].values)), str(len(columns.variables))]


def _plain(value: object) -> object:
    if isinstance(value, int | float):
        return None if np.isnan(value) else round(float(value), 12)
    return value or None
