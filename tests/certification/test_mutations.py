"""Every single change to every field of every file of a bundle is refused, and the file is named (T11)."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from survey.certification.archive import unpack
from survey.certification.verification import verify_bundle, verify_file


def by_path(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


mutations = by_path("mutations")


def mutants(files: dict[str, bytes], step: int) -> list[tuple[str, str, bytes]]:
    """Every `step`-th change of each file, its first always."""
    return [
        (name, told, changed)
        for name, data in sorted(files.items())
        for told, changed in list(mutations.mutants_of(name, data))[::step]
    ]


def assert_bundle_mutants_are_refused(wave, step: int) -> int:
    files, _ = unpack(wave.bundle)
    tried = mutants(files, step)
    for name, told, changed in tried:
        verdict = verify_bundle({**files, name: changed})

        assert verdict.exit_code == 1, (name, told)
        assert verdict.first_false.file == name, (name, told, verdict.first_false.line)
    assert {name for name, _, _ in tried} == set(files)
    return len(tried)


def assert_certificate_mutants_are_refused(wave, step: int) -> int:
    tried = list(mutations.json_mutants(wave.certificate))[::step]
    for told, changed in tried:
        verdict = verify_file(changed)
        false = verdict.first_false

        assert verdict.exit_code in (1, 2), told
        assert verdict.exit_code == 2 or (false.file == "certificate.json" and false.field), told
        # Where a field of a part was changed, the part is what is blamed.
        if verdict.exit_code == 1 and told.count(".") > 1:
            part = told.split(".")[1].split(" ")[0].split("[")[0]
            assert part.endswith("note") or false.field.startswith(part), (told, false.line)
    return len(tried)


@pytest.fixture(scope="module")
def five_schools(wave_of):
    return wave_of(7, weighted=True, void=True, schools=5)


def test_a_change_to_any_file_is_refused_and_the_file_named(five_schools):
    assert assert_bundle_mutants_are_refused(five_schools, 131) > 70


def test_a_changed_field_of_a_certificate_is_refused_and_its_part_named(five_schools):
    assert assert_certificate_mutants_are_refused(five_schools, 17) > 70


@pytest.mark.slow
def test_every_change_to_every_field_of_every_file_is_refused_and_named(five_schools):
    tried = assert_bundle_mutants_are_refused(five_schools, 1)
    fields = assert_certificate_mutants_are_refused(five_schools, 1)
    print(f"{tried} changes to a bundle, {fields} to a certificate: all refused and named")

    assert tried > 10_000 and fields > 1_000


@pytest.mark.slow
def test_ten_thousand_byte_flips_in_a_certificate_are_refused(five_schools):
    rng = random.Random(11)
    data, codes = five_schools.certificate, Counter()
    for _ in range(10_000):
        at, mask = rng.randrange(len(data)), rng.randrange(1, 256)
        codes[verify_file(data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]).exit_code] += 1
    print(f"10000 byte flips: {dict(codes)}")

    assert codes[0] == 0 and sum(codes.values()) == 10_000
