"""A bureau's own language, from the exported file to the page a parent opens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from survey import canonical
from survey.cli.main import main
from survey.fieldwork.code import normalise
from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, create_signer, open_signers
from survey.jobs.translate import (
    LanguageNotSignedError,
    import_catalogue,
    pinned_catalogues,
    sign_catalogue,
)
from survey.scheme.catalogue import Catalogue, messages
from survey.scheme.catalogue_file import po_bytes
from survey.storage.evidence import load_evidence
from survey.storage.print_files import load_print_file

from .conftest import NOW, PASSWORD, Site

BY = {"actor": "test", "now": NOW}


def korean(mark: str) -> bytes:
    """A filled PO file; the mark tells one translation from another."""
    return po_bytes("ko", Catalogue("ko", {one.key: (one.zh, f"{mark}{one.zh}") for one in messages()}))


async def test_a_wave_shows_the_translation_it_was_signed_with(site: Site) -> None:
    wave = await site.wave(until="drawn", languages=("zh", "ko"))
    for role in ROLES:
        create_signer(site.settings, role, f"{PASSWORD} {role}")
    signers = open_signers(site.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    with pytest.raises(LanguageNotSignedError, match="ko"):
        await sign_plan(site.settings, site.office, wave, signers, **BY)
    await import_catalogue(korean("가"), None, **BY)
    with pytest.raises(LanguageNotSignedError):
        await sign_plan(site.settings, site.office, wave, signers, **BY)
    await sign_catalogue("ko", "김영희", **BY)
    await sign_plan(site.settings, site.office, wave, signers, **BY)
    await import_catalogue(korean("나"), "ko", **BY)
    await sign_catalogue("ko", "이철수", **BY)
    code = normalise(load_print_file(site.settings, wave)[0][0])
    await publish_wave(site.settings, site.office, wave, **BY)
    plan = json.loads(await load_evidence(wave, "plan.json"))
    pinned = await load_evidence(wave, "translations.json")
    page = (await site.client.get(f"/s/{code}?lang=ko")).text

    assert plan["translations_digest"] == canonical.sha256_hex(pinned.encode())
    assert (await pinned_catalogues(wave))["ko"].signed_by == "김영희"
    assert '<html lang="ko"' in page
    assert "가开始填写" in page and "나开始填写" not in page


def test_the_command_exports_takes_in_and_signs(tmp_path: Path) -> None:
    def survey(*words: str) -> dict[str, object]:
        ran = CliRunner().invoke(main, ["language", *words, "--data", str(tmp_path / "data"), "--json"])
        return json.loads(ran.stdout)

    file = tmp_path / "ko.po"
    exported = survey("export", "ko", "--output", str(file))
    refused = survey("sign", "ko", "--name", "김영희")
    file.write_bytes(korean("가"))
    taken = survey("import", str(file))
    signed = survey("sign", "ko", "--name", "김영희")
    listed = survey("list")["languages"]

    assert exported == {"language": "ko", "file": str(file)}
    assert refused["error"]["code"] == "catalogue.not_imported"
    assert taken["missing"] == signed["missing"] == 0
    assert [one["state"] for one in listed if one["language"] in ("zh", "ko", "ug")] == ["shipped", "none", "signed"]
