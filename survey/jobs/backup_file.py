"""A backup as one file: a stream of members inside age encryption, never in the clear.

The file is an age file (C2SP age v1), so the `age` program opens it too, with or without this
product; inside lies a tar whose first member is the manifest: every other member's SHA-256,
and for every wave the head, root and key of its log. It is encrypted for the office's public
key, whose private half lies elsewhere, and for a second key that exists only until the file
has been read back and compared.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyrage

from survey.errors import SurveyError

MANIFEST = "manifest.json"
FORMAT = "survey-backup/1"
PIECE = 1024 * 1024


Progress = Callable[[int, int], None]
"""Told how much is done of how much."""


class BackupUnreadableError(SurveyError):
    """The file is no backup, is damaged, or the key does not open it."""

    code = "backup.unreadable"
    kind = "invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("备份文件", reason, "换一份备份，或换对应的私钥再试")


class BackupKeyError(SurveyError):
    """The key file or its passphrase cannot be used."""

    code = "backup.key_unusable"
    kind = "invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("备份私钥", reason, "用做备份时那把公钥对应的私钥文件，口令要对")


def new_key(passphrase: str) -> tuple[str, bytes]:
    """A public key, and its private half as an age key file locked with a passphrase."""
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    text = f"# public key: {public}\n{identity}\n".encode()
    return public, bytes(pyrage.passphrase.encrypt(text, passphrase))


def open_key(content: bytes, passphrase: Callable[[], str]) -> Any:
    """The private key in a key file of ours, or in one that `age-keygen` wrote.

    Raises:
        BackupKeyError: neither, or the wrong passphrase.
    """
    if content.startswith(b"age-encryption.org/"):
        try:
            content = pyrage.passphrase.decrypt(content, passphrase())
        except pyrage.DecryptError as error:
            raise BackupKeyError("口令不对，或文件损坏") from error
    lines = [line for line in content.decode("utf-8", "replace").splitlines() if line.startswith("AGE-SECRET-KEY-1")]
    try:
        return pyrage.x25519.Identity.from_str(lines[0])
    except (IndexError, pyrage.IdentityError) as error:
        raise BackupKeyError("文件里没有age私钥") from error


def write_sealed(
    target: Path,
    members: dict[str, Path],
    manifest: dict[str, Any],
    recipient: str,
    progress: Progress | None = None,
) -> str:
    """Write members into an encrypted file, read it back, and give the manifest's digest.

    Args:
        target: a new file; readable for this user alone.
        members: file by name; their digests are written into the manifest.
        manifest: what else is told of them.
        progress: told the bytes done of all, written and read back.

    Raises:
        BackupUnreadableError: what was written does not read back as what was meant.
    """
    document = {
        "format": FORMAT,
        **manifest,
        "files": {name: {"size": path.stat().st_size, "sha256": _digest(path)} for name, path in members.items()},
    }
    size = sum(one["size"] for one in document["files"].values())
    head = json.dumps(document, ensure_ascii=False, sort_keys=True).encode()
    check = pyrage.x25519.Identity.generate()
    recipients = [pyrage.x25519.Recipient.from_str(recipient), check.to_public()]
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sealed:
        _through_pipe(
            lambda source: pyrage.encrypt_io(source, sealed, recipients),
            lambda sink: _pack(sink, head, members, told_by(progress, 0, 2 * size)),
        )
        sealed.flush()
        os.fsync(sealed.fileno())
    seen = read_sealed(target, check, None, told_by(progress, size, 2 * size))
    if seen != document:
        raise BackupUnreadableError("写出的内容与原来的不一致")
    return hashlib.sha256(head).hexdigest()


def read_sealed(
    source: Path, identity: Any, folder: Path | None, progress: Progress | None = None
) -> dict[str, Any]:
    """The manifest, after every member was read and compared; members go into `folder` if there is one.

    Args:
        progress: told the bytes of the members read, of all.

    Raises:
        BackupUnreadableError: wrong key, damaged, a member missing, changed or added.
    """
    told: list[dict[str, Any]] = []
    try:
        with open(source, "rb") as sealed:
            _through_pipe(
                lambda stream: told.append(_unpack(stream, folder, progress)),
                lambda sink: pyrage.decrypt_io(sealed, sink, [identity]),
            )
    except pyrage.DecryptError as error:
        raise BackupUnreadableError("这把私钥打不开它，或文件已损坏") from error
    except (tarfile.TarError, ValueError, KeyError, OSError) as error:
        raise BackupUnreadableError(f"文件已损坏（{type(error).__name__}）") from error
    return told[0]


def _pack(sink: BinaryIO, head: bytes, members: dict[str, Path], progress: Progress | None) -> None:
    with tarfile.open(fileobj=sink, mode="w|") as archive:
        about = tarfile.TarInfo(MANIFEST)
        about.size, about.mode = len(head), 0o600
        archive.addfile(about, io.BytesIO(head))
        done, size = 0, sum(path.stat().st_size for path in members.values())
        for name, path in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = path.stat().st_size, 0o600
            with open(path, "rb") as content:
                archive.addfile(entry, content)
            done += entry.size
            if progress is not None:
                progress(done, size)


def _unpack(stream: BinaryIO, folder: Path | None, progress: Progress | None) -> dict[str, Any]:
    document: dict[str, Any] = {}
    missing: dict[str, Any] = {}
    done = size = 0
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            if content is None:
                raise ValueError(entry.name)
            if not document:
                document = json.loads(content.read())
                if entry.name != MANIFEST or document["format"] != FORMAT:
                    raise ValueError(entry.name)
                missing = dict(document["files"])
                size = sum(one["size"] for one in missing.values())
                continue
            wanted = missing.pop(entry.name)
            target = _place(folder, entry.name) if folder is not None else Path(os.devnull)
            with open(target, "wb") as file:
                if _copied(content, file) != wanted["sha256"]:
                    raise BackupUnreadableError(f"其中的 {entry.name} 与备份时不一样")
                if folder is not None:
                    file.flush()
                    os.fsync(file.fileno())
            done += entry.size
            if progress is not None:
                progress(done, size)
    if missing or not document:
        raise BackupUnreadableError(f"少了 {next(iter(missing), MANIFEST)}")
    while stream.read(PIECE):
        pass
    return document


def told_by(progress: Progress | None, before: int, of: int) -> Progress | None:
    """What one part of a work tells its progress to, when so much came before it of so much in all."""
    return None if progress is None else lambda done, _: progress(before + done, of)


def _place(folder: Path, name: str) -> Path:
    """Where a member goes; a name that leads out of the folder is refused."""
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise ValueError(name)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600))
    return target


def _through_pipe(reads: Callable[[Any], Any], writes: Callable[[Any], Any]) -> None:
    """Let one side write into a pipe while this thread reads from it; what went wrong on either is raised."""
    out, into = os.pipe()
    wrong: list[BaseException] = []

    def write() -> None:
        try:
            with open(into, "wb") as sink:
                writes(sink)
        except BaseException as error:  # noqa: BLE001
            wrong.append(error)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        with open(out, "rb") as source:
            reads(source)
    except BaseException as error:
        thread.join()
        # A reader that got half of it fails because the writer did.
        raise next((one for one in wrong if not isinstance(one, BrokenPipeError)), error) from error
    thread.join()
    if wrong:
        raise wrong[0]


def _copied(source: Any, target: BinaryIO) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(source):
        digest.update(piece)
        target.write(piece)
    return digest.hexdigest()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in _pieces(file):
            digest.update(piece)
    return digest.hexdigest()


def _pieces(file: Any) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
