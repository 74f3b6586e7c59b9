"""Our scripts and styles as Chromium 66 and iOS 11 read them: nothing newer without a fallback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import esprima
import pytest
import tinycss2

from survey.web.templating import inline_text

SCRIPTS = ("head", "form", "check", "open", "over")
STYLES = ("page", "form", "scripts")
LATER_NAMES = frozenset(
    {"fetch", "globalThis", "replaceAll", "flat", "flatMap", "fromEntries", "matchAll", "allSettled", "at"}
    | {"AbortController", "queueMicrotask", "structuredClone", "submitter", "requestSubmit", "replaceChildren"}
    | {"toggleAttribute", "append", "prepend", "IntersectionObserver", "ResizeObserver", "BigInt"}
)
"""What came after Chromium 66 or iOS 11, or needs a polyfill in one of them."""
LATER_PROPERTIES = frozenset({"gap", "row-gap", "column-gap", "inset", "aspect-ratio", "accent-color"})
LATER_VALUES = frozenset({"max", "min", "clamp", "env"})
LATER_SELECTORS = (":has(", ":is(", ":where(", ":focus-visible")
HARMLESS = frozenset({"text-wrap", "appearance", "overflow-wrap"})
"""Unknown there and only missed, never needed: nicer breaks, our own look of a radio button."""


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_es2015(name: str) -> None:
    tree = esprima.parseScript(inline_text(f"respondent/{name}.js"))
    nodes = list(_nodes(tree))
    newer = [
        node.type
        for node in nodes
        if getattr(node, "isAsync", False)
        or node.type in ("AwaitExpression", "ExperimentalSpreadProperty")
        or (node.type in ("BinaryExpression", "AssignmentExpression") and node.operator in ("**", "**="))
        or (node.type == "ObjectExpression" and any(one.type == "SpreadElement" for one in node.properties))
    ]
    asked = [node.property for node in nodes if node.type == "MemberExpression" and not node.computed]
    asked += [node.callee for node in nodes if node.type in ("CallExpression", "NewExpression")]
    names = {node.name for node in asked if node.type == "Identifier"}

    assert newer == []
    assert names & LATER_NAMES == set()


@pytest.mark.parametrize("name", STYLES)
def test_style_has_a_fallback_for_everything_newer(name: str) -> None:
    faults = list(_style_faults(inline_text(f"respondent/{name}.css")))

    assert faults == []


def test_the_lints_notice_what_they_are_for() -> None:
    style = "a{gap:8px}b:has(i){color:red}c{width:min(1px,2px)}d{inset:0}e:focus-visible,e:focus{color:red}"

    assert len(list(_style_faults(style))) == 5
    with pytest.raises(esprima.Error):
        esprima.parseScript("const a = b?.c")


def test_no_engine_is_asked_for_a_network_by_a_style() -> None:
    assert not any(re.search(r"url\(|@import|@font-face", inline_text(f"respondent/{one}.css")) for one in STYLES)


def test_a_persons_own_text_size_is_never_undone() -> None:
    everything = "".join(inline_text(f"respondent/{one}.css") for one in STYLES)
    scripts = "".join(inline_text(f"respondent/{one}.js") for one in SCRIPTS)

    assert "text-size-adjust" not in everything
    assert "setFontSizeCallback" not in scripts
    assert not re.search(r"font-size:\s*[\d.]+(px|pt)", everything)


def _nodes(node: Any) -> Iterator[Any]:
    if isinstance(node, list):
        for one in node:
            yield from _nodes(one)
    elif isinstance(node, esprima.nodes.Node):
        yield node
        for value in vars(node).values():
            yield from _nodes(value)


def _style_faults(text: str) -> Iterator[str]:
    for rule in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True):
        if rule.type == "at-rule":
            if rule.lower_at_keyword != "media":
                yield f"@{rule.at_keyword}"
                continue
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
        else:
            inner = [rule]
        for one in inner:
            yield from _rule_faults(one)


def _rule_faults(rule: Any) -> Iterator[str]:
    selector = tinycss2.serialize(rule.prelude)
    # An unknown selector loses its whole rule: fine for a rule that only takes the mark of focus away again.
    needed = selector.replace(":not(:focus-visible)", "")
    yield from (f"{selector}: {later}" for later in LATER_SELECTORS if later in needed)
    given: set[str] = set()
    for declaration in tinycss2.parse_declaration_list(rule.content, skip_comments=True, skip_whitespace=True):
        if declaration.type != "declaration":
            yield f"{selector}: unreadable"
            continue
        name = declaration.lower_name
        functions = {part.lower_name for part in _parts(declaration.value) if part.type == "function"}
        if name in LATER_PROPERTIES or (name.startswith("inset-") and name not in given):
            yield f"{selector}: {name}"
        if functions & LATER_VALUES and name not in given and name not in HARMLESS:
            yield f"{selector}: {name} with {functions & LATER_VALUES} and nothing before it"
        given.add(name)
        if name == "padding":
            given |= {"padding-left", "padding-right", "padding-top", "padding-bottom"}


def _parts(values: list[Any]) -> Iterator[Any]:
    for value in values:
        yield value
        if value.type == "function":
            yield from _parts(value.arguments)
