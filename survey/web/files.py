"""Files for people: a real link, a name in Chinese, and an ASCII name for old programs."""

from pathlib import Path
from urllib.parse import quote

from litestar import Response

MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".json": "application/json",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""The kinds of file the platform hands out, by suffix; nothing else is offered."""


def download(data: bytes, filename: str, media_type: str | None = None) -> Response[bytes]:
    """A file to keep, never to be shown in place."""
    return Response(
        data,
        media_type=media_type or media_type_of(filename),
        headers={"Content-Disposition": disposition(filename)},
    )


def media_type_of(filename: str) -> str:
    """The kind of a file, by its suffix."""
    return MEDIA_TYPES.get(Path(filename).suffix.lower(), "application/octet-stream")


def disposition(filename: str) -> str:
    """What tells a program to keep a file, under its name in Chinese or in ASCII."""
    ascii_name = "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "_" for sign in filename
    )
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename, safe='')}"


def files_in(folder: Path) -> list[Path]:
    """Regular files of a kind that may be handed out, by name."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.is_symlink() and path.suffix.lower() in MEDIA_TYPES
    )
