"""The inventory of cryptography against the source: nothing unlisted, nothing listed that is not there."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import survey
from survey.web.verify.cryptography import INVENTORY

from ..conftest import Site

ROOT = Path(survey.__file__).parent
PACKAGES = frozenset(
    {"hashlib", "hmac", "secrets", "ssl", "cryptography", "argon2", "pyotp", "pyrage", "joserfc", "standardwebhooks"}
)
NO_ALGORITHM = frozenset({"ssl.SSLContext", "hmac.HMAC"})  # names of types


def uses_of(path: Path) -> Iterator[str]:
    """Every name of a cryptographic package that a module takes or calls, shortened to package and last two."""
    tree, known = ast.parse(path.read_text(encoding="utf-8")), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {one.asname or one.name: one.name for one in node.names if one.name.split(".")[0] in PACKAGES}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES:
            parts = (node.module or "").split(".")
            inner = parts[-1:] if len(parts) > 1 and parts[-1] != "primitives" else []
            yield from (".".join([parts[0], *inner, one.name]) for one in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            yield f"{known[node.value.id]}.{node.attr}"


@cache
def found() -> set[tuple[str, str]]:
    return {
        (path.relative_to(ROOT).as_posix(), name)
        for path in ROOT.rglob("*.py")
        for name in uses_of(path)
        if not (name.endswith("Error") or ".exceptions." in name or name in NO_ALGORITHM)
    }


def test_every_use_of_cryptography_is_in_the_inventory() -> None:
    unlisted = [
        (module, name)
        for module, name in sorted(found())
        if not any(module in use.modules and name in use.calls for use in INVENTORY)
    ]

    assert unlisted == []


def test_every_line_of_the_inventory_is_carried_out_somewhere() -> None:
    real = found()

    for use in INVENTORY:
        assert all(any((module, name) in real for name in use.calls) for module in use.modules), use.purpose
        assert all(any((module, name) in real for module in use.modules) for name in use.calls), use.purpose


async def test_anyone_may_read_the_inventory(site: Site) -> None:
    page = await site.client.get("/v/cryptography")

    assert page.status_code == 200
    for use in INVENTORY:
        assert f"<td>{use.algorithm}</td>" in page.text
