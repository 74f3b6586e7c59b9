"""The files of the migrations: one number each, and in the order in which Piccolo runs them."""

from __future__ import annotations

import re

from survey.storage.piccolo_app import migrations_folder


def test_numbers_are_unique_without_a_gap_and_in_the_order_of_the_identifiers() -> None:
    files = sorted(migrations_folder().glob("survey_*.py"))
    numbers = [int(file.name.split("_")[1]) for file in files]
    identifiers = [re.search(r'^ID = "(.+)"$', file.read_text(encoding="utf-8"), re.MULTILINE)[1] for file in files]  # type: ignore[index]

    assert numbers == [*range(numbers[0], numbers[0] + len(numbers))]
    assert identifiers == sorted({*identifiers})
