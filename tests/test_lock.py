"""The lock file and the bill of materials name what pyproject.toml asks for."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[1]
LOCKED = {
    canonicalize_name(name): version
    for name, version in (
        line.split(" ")[0].split("==")
        for line in (CHECKOUT / ".ci/requirements.lock").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
}


def wanted(marker: Marker | None) -> bool:
    return marker is None or marker.evaluate({"sys_platform": "linux"})


def test_every_dependency_is_locked_at_a_version_it_allows() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [one for one in map(Requirement, project["dependencies"]) if wanted(one.marker)]

    missing = [one.name for one in asked if canonicalize_name(one.name) not in LOCKED]
    outside = [one.name for one in asked if one.name not in missing and LOCKED[canonicalize_name(one.name)] not in one.specifier]

    assert (missing, outside) == ([], [])


def test_the_bill_of_materials_lists_what_is_locked() -> None:
    bill = json.loads((CHECKOUT / ".ci/sbom.json").read_text(encoding="utf-8"))

    assert {canonicalize_name(one["name"]): one["version"] for one in bill["components"]} == LOCKED
