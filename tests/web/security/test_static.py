"""What the source must not hold: T25 of TRUST, read from the files themselves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import survey

HOUSE = Path(survey.__file__).parent
TEMPLATES = HOUSE.parent / "templates"
RUNS_SQL = {"execute", "executemany", "executescript", "fetch", "fetchrow", "fetchval", "run_statement"}


Source = list[tuple[str, list[ast.AST]]]


@pytest.fixture(scope="module")
def source() -> Source:
    """Every module by its path below the house, and all that stands in it; read once and let go with these tests."""
    return [
        (path.relative_to(HOUSE).as_posix(), list(ast.walk(ast.parse(path.read_text(encoding="utf-8")))))
        for path in sorted(HOUSE.rglob("*.py"))
    ]


def templates() -> list[Path]:
    if not TEMPLATES.is_dir():
        pytest.skip("installed without a checkout: the templates are inside the package")
    return sorted(path for path in TEMPLATES.rglob("*.html"))


def test_no_statement_is_put_together_from_strings(source: Source) -> None:
    built = []
    for name, nodes in source:
        for node in nodes if name.startswith(("storage/", "jobs/", "web/", "cli/")) else ():
            called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
            if called in RUNS_SQL and isinstance(node, ast.Call) and node.args:
                first = node.args[0]
                adds = isinstance(first, ast.BinOp) and isinstance(first.op, ast.Add | ast.Mod)
                formats = isinstance(first, ast.Call) and getattr(first.func, "attr", "") == "format"
                inserts = isinstance(first, ast.JoinedStr) and any(
                    isinstance(part, ast.FormattedValue) for part in first.values
                )
                if adds or formats or inserts:
                    built.append(f"{name}:{node.lineno}")

    # A pragma's name and value cannot be parameters; both are constants of the module.
    assert [place for place in built if not place.startswith(ALLOWED_PRAGMAS)] == []


ALLOWED_PRAGMAS = ("storage/intake_file.py",)


def test_secrets_are_never_drawn_from_the_ordinary_generator(source: Source) -> None:
    drawing = [
        name
        for name, nodes in source
        if name.startswith(("storage/", "web/", "certification/", "fieldwork/", "jobs/", "cli/"))
        for node in nodes
        if (isinstance(node, ast.Import) and any(one.name == "random" for one in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "random")
    ]

    assert set(drawing) <= {"jobs/simulate_responses.py"}


def test_nothing_is_unpickled_or_loaded_as_code(source: Source) -> None:
    risky = {"pickle", "marshal", "shelve", "dill", "joblib"}
    found = []
    for name, nodes in source:
        for node in nodes:
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{name} imports {one}" for one in names if one.split(".")[0] in risky]

    assert found == []


def test_the_answering_side_knows_no_cookie() -> None:
    for path in sorted((HOUSE / "web" / "respondent").rglob("*.py")):
        text = path.read_text(encoding="utf-8").lower()
        text = text.replace("self.cookies, self.response_type_encoders = [], {}", "")  # a reply's list, left empty

        assert "set-cookie" not in text and "set_cookie" not in text and "cookies" not in text, path.name


def test_every_value_in_a_template_stands_between_quotes() -> None:
    bare = [
        f"{path.name}: {found}"
        for path in templates()
        for found in re.findall(r"<[a-z][^>]*?\s[a-z-]+=\{\{[^>]*", path.read_text(encoding="utf-8"))
    ]

    assert bare == []


def test_no_template_carries_a_handler_or_a_script_address() -> None:
    found = []
    for path in templates():
        text = path.read_text(encoding="utf-8")
        found += [f"{path.name}: {one}" for one in re.findall(r"<[^>]*\son[a-z]+\s*=", text)]
        found += [f"{path.name}: {one}" for one in re.findall(r"(?i)javascript:|data:text/html|srcdoc=", text)]

    assert found == []


def test_the_console_runs_no_script_that_stands_in_a_page() -> None:
    inline = []
    for path in templates():
        if path.parent.name != "respondent":
            for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", path.read_text("utf-8"), re.DOTALL):
                if "src=" not in attributes and "application/json" not in attributes and body.strip():
                    inline.append(path.name)

    assert inline == []


PATTERNS = {"compile", "search", "match", "fullmatch", "sub", "subn", "findall", "finditer", "split"}


def test_no_pattern_comes_from_outside(source: Source) -> None:
    foreign = []
    for name, nodes in source:
        for node in nodes:
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in PATTERNS
                and getattr(node.func.value, "id", "") == "re"
            ):
                inside = list(ast.walk(node.args[0]))
                parts = [one for one in inside if isinstance(one, ast.Name | ast.Call)]
                if any(isinstance(one, ast.Attribute) and one.attr == "escape" for one in inside):
                    continue  # plain text, not a pattern
                if any(isinstance(one, ast.Call) or not one.id.isupper() for one in parts):
                    foreign.append(f"{name}:{node.lineno}")

    assert foreign == []


def test_nothing_turns_debugging_on(source: Source) -> None:
    turned = [
        f"{name}:{node.lineno}"
        for name, nodes in source
        for node in nodes
        if isinstance(node, ast.keyword)
        and node.arg == "debug"
        and not (isinstance(node.value, ast.Constant) and node.value.value is False)
    ]

    assert turned == []
