"""The files of a certificate: written beside their names, and given them once the books have it.

Books and folder cannot change in one act. So certificate, bundle and sheet lie as `.new` while the
books still may refuse, and are renamed when the books are closed. A process that dies in between
leaves `.new` files; the next start gives them their names where the books know the certificate,
and removes them where they do not. Whoever downloads therefore never gets half of one certificate.
"""

from __future__ import annotations

import os
from pathlib import Path

from survey.jobs.run_fieldwork import lock_of
from survey.settings import Settings
from survey.storage.certificates import list_certificates
from survey.storage.current import hold

CERTIFICATE, BUNDLE, SHEET, REPORT = "certificate.json", "bundle.zip", "certificate.pdf", "report.pdf"
FILES = (BUNDLE, SHEET, CERTIFICATE)
"""In the order in which they are written and named: where the certificate is there, the others were there before it."""
NEW = ".new"


def lay_down(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files of a certificate that the books do not have yet."""
    for name in FILES:
        with open(folder / (name + NEW), "wb") as file:
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


async def settle_files(settings: Settings) -> tuple[str, ...]:
    """Waves whose certifying was cut off beside their files, all of one certificate again."""
    settled = []
    for folder in sorted({path.parent for path in settings.out.glob(f"*/*{NEW}")} if settings.out.is_dir() else ()):
        wave = folder.name
        async with hold(lock_of(wave)) as alone:
            if not alone:
                continue
            new = folder / (CERTIFICATE + NEW)
            known = (await list_certificates(wave))[-1:]
            if new.is_file() and any(one.data == new.read_bytes() for one in known):
                take_up_files(folder)
            else:
                for name in FILES:
                    (folder / (name + NEW)).unlink(missing_ok=True)
            settled.append(wave)
    return tuple(settled)
