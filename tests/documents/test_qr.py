"""Codes: small, in mixed segments, read by two decoders, refused when too fine for paper."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import zxingcpp

from survey.documents.qr import (
    LinkNotPrintableError,
    LinkTooLongError,
    printed_link,
    qr_modules,
    qr_path,
    qr_svg,
)
from survey.fieldwork.code import random_code

HOST_OF_18 = "https://jiaoyu.wanan.gov.c"


def picture(link: str, pixels: int) -> np.ndarray:
    dark = np.pad(np.array(qr_modules(link)), 4)
    return np.where(np.kron(dark, np.ones((pixels, pixels), bool)), 0, 255).astype(np.uint8)


def test_two_decoders_read_every_code_back_with_its_link() -> None:
    rng = np.random.default_rng(1)
    links = [f"{HOST_OF_18}/s/{random_code(lambda n: rng.bytes(n))}" for _ in range(150)]
    wanted = [printed_link(link) for link in links]

    zxing = [zxingcpp.read_barcodes(picture(link, 6))[0].text for link in links]
    opencv = [cv2.QRCodeDetector().detectAndDecode(picture(link, 8))[0] for link in links]

    assert zxing == wanted
    assert opencv == wanted


def test_slightly_blurred_codes_are_still_read() -> None:
    rng = np.random.default_rng(2)
    links = [f"{HOST_OF_18}/s/{random_code(lambda n: rng.bytes(n))}" for _ in range(40)]

    blurred = [cv2.GaussianBlur(picture(link, 5), (0, 0), 1.5) for link in links]

    assert [zxingcpp.read_barcodes(one)[0].text for one in blurred] == [printed_link(link) for link in links]


@pytest.mark.parametrize(
    ("link", "side"),
    [
        ("https://wanan.gov.cn/s", 25),
        (f"{HOST_OF_18}/s/7KQ4M2XH9DTR", 29),
        ("http://127.0.0.1:8000/s/7KQ4M2XH9DTR", 29),
        (f"{HOST_OF_18}/o/aketao-2026/2136000123-P", 33),
    ],
)
def test_a_link_takes_the_smallest_version_that_holds_it(link: str, side: int) -> None:
    assert len(qr_modules(link)) == side


def test_a_link_of_41_characters_still_fits_version_3() -> None:
    link = f"{HOST_OF_18}/s/7KQ4M2XH9DTR"

    assert len(link) == 41
    assert len(qr_modules(link)) == 29
    assert len(qr_modules(link + "X")) == 33


def test_correction_level_is_q_and_the_scheme_keeps_its_small_letters() -> None:
    found = zxingcpp.read_barcodes(picture("https://survey.wanan.cn/s/7KQ4M2XH9DTR", 6))[0]

    assert found.text == "https://SURVEY.WANAN.CN/S/7KQ4M2XH9DTR"
    assert str(found.ec_level) == "Q"


def test_a_link_beyond_version_4_is_refused_with_its_length_and_a_remedy() -> None:
    link = "https://a-very-long-name-of-a-county-bureau.education.gov.cn/s/7KQ4M2XH9DTR"

    with pytest.raises(LinkTooLongError) as refusal:
        qr_modules(link)

    assert refusal.value.details == {"length": len(link)}
    assert str(len(link)) in str(refusal.value) and "短一些" in str(refusal.value)


@pytest.mark.parametrize(
    "link", ["ftp://survey.wanan.cn/s", "https://", "https://教育.cn/s", "https://a.cn/s?x=1"]
)
def test_a_link_no_code_can_carry_is_refused(link: str) -> None:
    with pytest.raises(LinkNotPrintableError):
        qr_modules(link)


@pytest.mark.parametrize("seed", range(3))
def test_the_path_holds_exactly_the_dark_modules(seed: int) -> None:
    """Modules that touch only at a corner, alone, and at the rim included."""
    chance = np.random.default_rng(seed).random((29, 29)) < 0.5
    for modules in (qr_modules("https://survey.wanan.cn/s/7KQ4M2XH9DTR"), tuple(map(tuple, chance.tolist()))):
        crossed = np.zeros((29, 30), int)
        for outline in qr_path(modules).split("M")[1:]:
            x, y = map(int, re.match(r"(\d+) (\d+)", outline).groups())
            first = y
            for way, length in re.findall(r"([hv])(-?\d+)", outline):
                if way == "h":
                    x += int(length)
                    continue
                crossed[min(y, y + int(length)) : max(y, y + int(length)), x] += 1
                y += int(length)
            crossed[min(y, first) : max(y, first), x] += 1  # the edge that `z` draws
        inside = np.cumsum(crossed, axis=1)[:, :-1] % 2 == 1

        assert (inside == np.array(modules)).all()


def test_the_svg_is_well_formed_and_says_its_link() -> None:
    root = ElementTree.fromstring(qr_svg("https://survey.wanan.cn/v/1", title="核验 <1>"))

    assert root.attrib["viewBox"] == "-4 -4 37 37"
    assert root.find("{http://www.w3.org/2000/svg}title").text == "核验 <1>"
