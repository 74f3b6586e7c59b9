"""The files of a certificate: written beside their names, and given them once the books have it.

Books and folder cannot change in one act. So certificate, bundle and sheet lie as `.new` while the
books still may refuse, and are renamed when the books are closed. A process that dies in between
leaves `.new` files; the next start gives them their names where the books know the certificate,
and removes them where they do not. Whoever downloads therefore never gets half of one certificate.
A bundle that tells of a revocation waits in the same way, as `.revoked`.
"""

from __future__ import annotations

import os
from pathlib import Path

from survey.jobs.revocations import withdrawn
from survey.jobs.run_fieldwork import lock_of
from survey.settings import Settings
from survey.storage.certificates import list_certificates
from survey.storage.current import hold

CERTIFICATE, BUNDLE, SHEET, REPORT = "certificate.json", "bundle.zip", "certificate.pdf", "report.pdf"
FILES = (BUNDLE, SHEET, CERTIFICATE)
"""In the order in which they are written and named: where the certificate is there, the others were there before it."""
NEW, REVOKED = ".new", ".revoked"


def lay_down(folder: Path, files: dict[str, bytes], ending: str = NEW) -> None:
    """Write the files of a certificate, or a bundle of its revocation, that the books do not have yet."""
    for name in (name for name in FILES if name in files):
        with open(folder / (name + ending), "wb") as file:
            file.write(files[name])
            file.flush()
            os.fsync(file.fileno())


def take_up_files(folder: Path) -> None:
    """Give the files their names; the report of an earlier certificate is not theirs and goes."""
    (folder / REPORT).unlink(missing_ok=True)
    for name in FILES:
        new = folder / (name + NEW)
        if new.is_file():
            os.replace(new, folder / name)


def take_up_bundle(folder: Path) -> None:
    """Give the bundle that tells of a revocation its name."""
    os.replace(folder / (BUNDLE + REVOKED), folder / BUNDLE)


async def settle_files(settings: Settings) -> tuple[str, ...]:
    """Waves whose certifying or revoking was cut off beside their files, all of one certificate again."""
    settled = []
    left = {path.parent for ending in (NEW, REVOKED) for path in settings.out.glob(f"*/*{ending}")} if settings.out.is_dir() else set()
    for folder in sorted(left):
        wave = folder.name
        async with hold(lock_of(wave)) as alone:
            if not alone:
                continue
            if (folder / (BUNDLE + REVOKED)).is_file():
                if wave in await withdrawn([wave]):
                    take_up_bundle(folder)
                else:
                    (folder / (BUNDLE + REVOKED)).unlink()
            new = folder / (CERTIFICATE + NEW)
            known = (await list_certificates(wave))[-1:]
            if new.is_file() and any(one.data == new.read_bytes() for one in known):
                take_up_files(folder)
            else:
                for name in FILES:
                    (folder / (name + NEW)).unlink(missing_ok=True)
            settled.append(wave)
    return tuple(settled)
