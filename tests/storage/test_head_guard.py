"""The last head at a start: signed by this log's key, or the log is not opened."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from survey.certification.signature import Signer
from survey.certification.transparency_log import sign_head, tree_root
from survey.settings import Settings
from survey.storage.database import open_database
from survey.storage.head_guard import check_signature
from survey.storage.intake import IntakeBrokenError
from survey.storage.office import IntakeOffice

spec = importlib.util.spec_from_file_location("fielding", Path(__file__).with_name("fielding.py"))
fielding = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fielding)
SIGNER = Signer(fielding.about().origin, fielding.LOG_SEED)


def head(signer: Signer) -> str:
    return sign_head(fielding.about().origin, 1, tree_root([b"leaf"]), [signer])


def test_a_head_of_the_logs_own_key_is_believed() -> None:
    assert check_signature(fielding.about(), head(SIGNER), SIGNER) is None
    assert check_signature(fielding.about(), None, SIGNER) is None


@pytest.mark.parametrize(
    "note",
    [
        head(Signer(SIGNER.name, bytes(32))),
        head(SIGNER)[:-8] + "AAAAAA=\n",
        head(SIGNER).replace("\n1\n", "\n2\n"),
        "no head at all",
    ],
    ids=["another key", "another signature", "another size", "no note"],
)
def test_a_head_that_the_logs_key_did_not_sign_is_refused(note: str) -> None:
    with pytest.raises(IntakeBrokenError):
        check_signature(fielding.about(), note, SIGNER)


async def test_a_log_whose_last_head_somebody_else_signed_is_not_opened(settings: Settings) -> None:
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        slips = await fielding.begin(office, 3)
        await office.submit("wave-1", fielding.entry(slips[0]))
        await office.stop()
        # Whoever has the files but not the key can only sign with a key of their own.
        key = settings.keys / "wave-1" / "log.key"
        key.write_bytes(bytes(32))

        await office.start()
        [reason] = office.resting().values()
        with pytest.raises(IntakeBrokenError):
            await office.submit("wave-1", fielding.entry(slips[1]))
        await office.stop()

    assert "密钥" in reason.reason
