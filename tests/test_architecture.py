"""The corridor as one list: data flows to the right, imports look to the left."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import survey

HOUSE = Path(survey.__file__).parent

CORRIDOR = [
    "errors",
    "canonical",
    "exact",
    "arrays",
    "columns",
    "scheme",
    "sampling",
    "fieldwork",
    "cases",
    "weighting",
    "estimation",
    "certification",
    "followup",
    "documents",
    "settings",
    "storage",
    "jobs",
    "web",
    "cli",
]
PURE = CORRIDOR[: CORRIDOR.index("settings")]
OUTSIDE_WORLD = {
    "os", "socket", "sqlite3", "asyncio", "subprocess", "urllib", "http", "random", "secrets", "time",
    "piccolo", "asyncpg", "aiosqlite", "duckdb", "psycopg", "pyspark", "litestar", "jinja2", "granian", "click",
}  # fmt: skip
ONLY_IN = {
    "piccolo": {"storage"},
    "asyncpg": {"storage"},
    "aiosqlite": {"storage"},
    "sqlite3": {"storage"},
    "duckdb": {"storage"},
    "psycopg": {"storage"},
    "pyspark": {"storage"},
    # An Ibis expression is a formula over named columns; only storage opens an engine to run it.
    "ibis": {"cases", "storage"},
    "litestar": {"web"},
    "jinja2": {"web"},
    "granian": {"cli"},
    "click": {"cli"},
}
VERIFIER_MAY_IMPORT = {"survey.canonical", "survey.errors", "survey.exact", "survey.certification"}


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    for path in sorted(HOUSE.rglob("*.py")):
        parts = path.relative_to(HOUSE).with_suffix("").parts
        if parts[0].startswith("_"):
            continue
        yield parts[0], path, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "survey":
                for name in node.names:
                    yield f"survey.{name.name}", node
            else:
                yield node.module, node


def test_every_room_stands_in_the_corridor() -> None:
    strangers = {room for room, _, _ in modules()} - set(CORRIDOR)

    assert not strangers


def test_the_docstring_of_the_house_names_every_room_in_order() -> None:
    told = [word for word in survey.__doc__.split() if word in CORRIDOR[5:]]
    first_mentions = list(dict.fromkeys(told))

    assert first_mentions == CORRIDOR[5:]


def test_imports_look_only_to_the_left() -> None:
    wrong = []
    for room, path, tree in modules():
        for name, node in imported(tree):
            if not name.startswith("survey."):
                continue
            other = name.split(".")[1]
            if other in CORRIDOR and CORRIDOR.index(other) > CORRIDOR.index(room):
                wrong.append(f"{path.relative_to(HOUSE)}:{node.lineno} imports {name}")

    assert not wrong


def test_rooms_that_compute_do_not_touch_the_world() -> None:
    wrong = [
        f"{path.relative_to(HOUSE)}:{node.lineno} imports {name}"
        for room, path, tree in modules()
        if room in PURE
        for name, node in imported(tree)
        if name.split(".")[0] in OUTSIDE_WORLD
    ]

    assert not wrong


def test_frameworks_stay_in_their_room() -> None:
    wrong = [
        f"{path.relative_to(HOUSE)}:{node.lineno} imports {name}"
        for room, path, tree in modules()
        for name, node in imported(tree)
        if name.split(".")[0] in ONLY_IN and room not in ONLY_IN[name.split(".")[0]]
    ]

    assert not wrong


def test_certification_leans_on_nothing_but_the_standard_library_and_three_modules() -> None:
    wrong = []
    for room, path, tree in modules():
        if room != "certification":
            continue
        for name, node in imported(tree):
            if name.startswith("survey."):
                allowed = any(name == module or name.startswith(module + ".") for module in VERIFIER_MAY_IMPORT)
            else:
                lazily = node.col_offset > 0
                allowed = name.split(".")[0] in __import__("sys").stdlib_module_names or (
                    lazily and name.split(".")[0] == "cryptography"
                )
            if not allowed:
                wrong.append(f"{path.relative_to(HOUSE)}:{node.lineno} imports {name}")

    assert not wrong


def test_nothing_dangerous_is_built_from_strings() -> None:
    wrong = []
    for _, path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in {"eval", "exec", "from_string", "Markup", "utcnow", "unsafe_load"}:
                    wrong.append(f"{path.relative_to(HOUSE)}:{node.lineno} calls {called}")
                bare = isinstance(node.func, ast.Attribute) and not (node.args or node.keywords)
                if called == "now" and bare and getattr(node.func.value, "id", "") == "datetime":
                    wrong.append(f"{path.relative_to(HOUSE)}:{node.lineno} reads a naive clock")

    assert not wrong


def test_templates_never_switch_escaping_off() -> None:
    templates = HOUSE.parent / "templates"
    if not templates.is_dir():
        pytest.skip("installed without a checkout: the templates are inside the package")
    wrong = [
        str(path.relative_to(templates))
        for path in templates.rglob("*")
        if path.is_file() and ("|safe" in (text := path.read_text(encoding="utf-8").replace(" ", "")) or "autoescapefalse" in text)
    ]

    assert not wrong


def test_no_module_outgrows_its_noun() -> None:
    crowded = {
        str(path.relative_to(HOUSE)): n_lines
        for _, path, _ in modules()
        if (n_lines := len(path.read_text(encoding="utf-8").splitlines())) > 450
    }

    assert not crowded
