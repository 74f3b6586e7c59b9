"""An office's emblem as a picture that is safe to print: what came in is never passed on.

A PNG, JPEG or SVG enters, as a data address inside the plan; a PNG of one fixed size leaves,
drawn anew by typst, which runs no script, follows no link and reads no file of the machine.
So an SVG that carries more than shapes, and a picture that unpacks into gigabytes, end here.
The emblem never touches a QR code (UX section 10).
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from functools import lru_cache

from survey.errors import SurveyError
from survey.scheme.plan import MOST_EMBLEM_SIGNS, Plan

SIDE_MM = 30
DOTS_PER_INCH = 400.0
MOST_PIXELS = 4_000_000
KINDS = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}

_ADDRESS = re.compile(r"data:(?P<kind>[a-z]+/[a-z+]+);base64,(?P<content>[A-Za-z0-9+/=\s]*)", re.ASCII)
_REFUSED_IN_SVG = re.compile(
    rb"<!|<\?xml-stylesheet|<\s*(script|foreignObject|image|use|a)\b|href\s*=|\burl\s*\(\s*['\"]?(?!#)",
    re.IGNORECASE,
)


class EmblemRefusedError(SurveyError):
    """The emblem is no picture that can be printed."""

    code = "documents.emblem_refused"
    kind = "invalid"

    def __init__(self, why: str) -> None:
        super().__init__(
            "标志图", why, f"用PNG、JPEG，或只有图形的SVG，不超过{MOST_EMBLEM_SIGNS * 3 // 4 // 1024} KB"
        )


def data_address(content: bytes) -> str:
    """A picture's bytes as the plan carries them.

    Raises:
        EmblemRefusedError: neither PNG, JPEG nor SVG.
    """
    kinds = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
    kind = next((kind for start, kind in kinds.items() if content.startswith(start)), "")
    if not kind and b"<svg" in content[:1000]:
        kind = "image/svg+xml"
    if not kind:
        raise EmblemRefusedError("不是PNG、JPEG或SVG图片")
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def emblem_of(plan: Plan) -> bytes:
    """The plan's emblem as a safe PNG; empty where it has none.

    Raises:
        EmblemRefusedError: it cannot be printed.
    """
    return safe_raster(plan.emblem) if plan.emblem else b""


@lru_cache(maxsize=8)
def safe_raster(address: str) -> bytes:
    """The picture of a data address, drawn anew as a square PNG with a clear ground.

    Raises:
        EmblemRefusedError: too large, broken, or an SVG with more than shapes in it.
    """
    import typst

    match = _ADDRESS.fullmatch(address)
    if len(address) > MOST_EMBLEM_SIGNS or match is None or match["kind"] not in KINDS:
        raise EmblemRefusedError("太大，或者不是data:image/…;base64,…这种写法")
    try:
        content = base64.b64decode(match["content"], validate=False)
    except (binascii.Error, ValueError) as error:
        raise EmblemRefusedError("内容不完整") from error
    kind = KINDS[match["kind"]]
    _check(kind, content)
    source = (
        f"#set page(width: {SIDE_MM}mm, height: {SIDE_MM}mm, margin: 0mm, fill: none)\n"
        "#set align(center + horizon)\n"
        f'#image(bytes(json(bytes(sys.inputs.picture))), format: "{kind}", width: 100%, height: 100%,'
        ' fit: "contain")\n'
    )
    picture = str(list(content)) if kind != "svg" else ""
    if kind == "svg":
        source = source.replace("bytes(json(bytes(sys.inputs.picture)))", "bytes(sys.inputs.picture)")
        picture = content.decode("utf-8", "replace")
    try:
        made = typst.compile(
            source.encode(),
            format="png",
            ppi=DOTS_PER_INCH,
            ignore_system_fonts=True,
            sys_inputs={"picture": picture},
        )
    except typst.TypstError as error:
        raise EmblemRefusedError("读不出来") from error
    if not isinstance(made, bytes):
        raise EmblemRefusedError("读不出来")
    return made


def _check(kind: str, content: bytes) -> None:
    """Refuse what would cost too much to draw, before anything draws it."""
    if kind == "svg":
        if _REFUSED_IN_SVG.search(content):
            raise EmblemRefusedError("SVG里有图形以外的东西（链接、脚本、外部图片或实体声明）")
        return
    width, height = _png_size(content) if kind == "png" else _jpeg_size(content)
    if not 0 < width * height <= MOST_PIXELS:
        raise EmblemRefusedError(f"有{width}×{height}个点，太大或者读不出来")


def _png_size(content: bytes) -> tuple[int, int]:
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or len(content) < 24:
        return 0, 0
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Width and height of the first frame header (ITU T.81, B.2.2)."""
    at = 2
    while content.startswith(b"\xff\xd8") and at + 9 < len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + max(length, 2)
    return 0, 0
