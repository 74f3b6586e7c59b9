"""The emblem: drawn anew, or refused with the reason; on posters and covers, clear of the code."""

from __future__ import annotations

import dataclasses
import struct
from io import BytesIO

import pytest
from PIL import Image

from survey.documents.emblem import EmblemRefusedError, data_address, safe_raster
from survey.documents.poster import PosterPage, posters

SHAPES = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4" fill="#0F4C81"/></svg>'


def picture(kind: str, size: tuple[int, int] = (40, 30)) -> bytes:
    stream = BytesIO()
    Image.new("RGB", size, "#0F4C81").save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("content", [SHAPES, picture("PNG"), picture("JPEG")])
def test_a_picture_leaves_as_a_png_of_one_size_and_the_same_bytes_each_time(content: bytes) -> None:
    made = safe_raster(data_address(content))
    safe_raster.cache_clear()

    assert Image.open(BytesIO(made)).size == (472, 472)
    assert made == safe_raster(data_address(content))


@pytest.mark.parametrize(
    "content",
    [
        SHAPES.replace(b"<circle", b'<image href="file:///etc/passwd"/><circle'),
        SHAPES.replace(b"<circle", b"<script>1</script><circle"),
        SHAPES.replace(b'fill="#0F4C81"', b'fill="url(http://other.example/x)"'),
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]>' + SHAPES,
        SHAPES[:60],
        picture("PNG")[:60],
        b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + struct.pack(">II", 60_000, 60_000) + b"\x08\x02\x00\x00\x00",
    ],
)
def test_more_than_shapes_broken_or_too_large_is_refused(content: bytes) -> None:
    with pytest.raises(EmblemRefusedError):
        safe_raster(data_address(content))


def test_what_is_no_picture_is_refused() -> None:
    for refused in (b"%PDF-1.7", b"GIF89a"):
        with pytest.raises(EmblemRefusedError):
            data_address(refused)


def test_a_poster_with_an_emblem_is_still_read(imprint, at, eyes) -> None:
    marked = dataclasses.replace(imprint, emblem=safe_raster(data_address(SHAPES)))
    [page] = eyes.pictures(posters([PosterPage("parent", 4, school_name="芙蓉镇中心小学")], marked, at=at))

    assert eyes.codes_by_zxing(page) == ["https://SURVEY.WANAN.CN/S"]
    assert eyes.code_by_opencv(page) == "https://SURVEY.WANAN.CN/S"
