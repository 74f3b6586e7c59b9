"""What a start costs: the console loads itself behind the first answers, and a rare page's needs with that page."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from survey.settings import Settings
from survey.storage.database import open_database

HEAVY = (
    "scipy.stats scipy.optimize scipy.special pandas polars pyarrow duckdb ibis openpyxl docx"
    " typst fontTools qrcode PIL lxml black pyrage joserfc httpcore standardwebhooks"
)
STARTED = """
import asyncio, sys
from pathlib import Path
from survey.cli.serving import Opening, control_door
from survey.settings import load_settings
from survey.storage.database import open_database
from survey.storage.office import IntakeOffice

async def start():
    settings = load_settings({}, data=Path(sys.argv[1]))
    async with open_database(settings) as database:
        office = IntakeOffice(settings)
        await office.start()
        opening = Opening(settings, office)
        print([name for name in ("survey.web.console", "survey.web.api") if name in sys.modules])
        await opening.complete(database)
        async with control_door(settings, database, office):
            print([name for name in sys.argv[2].split() if name in sys.modules])
        await opening.close()
        await office.stop()

asyncio.run(start())
"""


def test_a_server_starts_without_what_only_a_rare_page_needs(sqlite_settings: Settings) -> None:
    asyncio.run(_migrated(sqlite_settings))

    command = [sys.executable, "-c", STARTED, str(sqlite_settings.data), HEAVY]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert loaded.split() == ["[]", "[]"]


async def _migrated(settings: Settings) -> None:
    """The first start migrates, and a migration brings Piccolo's formatter along."""
    async with open_database(settings):
        pass
