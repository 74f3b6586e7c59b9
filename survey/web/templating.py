"""Where pages come from: the templates and static files of the wheel, or of a checkout.

An installed wheel carries both folders inside the package (`survey/_templates`,
`survey/_static`); an editable checkout keeps them at the top level. Autoescape is on for
every name, an undefined name is an error, and nothing here marks text as safe: style and
script reach a page by `{% include %}`, which copies our own file and never a value.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, FunctionLoader, StrictUndefined

import survey


def templates_folder() -> Path:
    """The folder of page templates, in the wheel or in the checkout."""
    return _folder("templates")


def static_folder() -> Path:
    """The folder of styles, scripts and pictures, in the wheel or in the checkout."""
    return _folder("static")


def static_text(name: str) -> str:
    """One static file as text; the name is ours, never a visitor's."""
    return (static_folder() / name).read_text(encoding="utf-8")


def environment() -> Environment:
    """A Jinja environment over our templates, with autoescape on for every one of them.

    `{% include "inline/respondent/page.css" %}` copies the static file
    `respondent/page.css` into the page, without its comments and indentation.
    """
    loaders: list[BaseLoader] = [FunctionLoader(_inline), FileSystemLoader(templates_folder())]
    return Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=200,
    )


def inline_text(name: str) -> str:
    """A style or script as it stands inside a page: no comment lines, no indentation.

    >>> tighten("a {\\n  /* why */\\n  color: red;\\n}\\n", "css")
    'a{color:red}'
    """
    return tighten(static_text(name), name.rpartition(".")[2])


def inline_hash(text: str) -> str:
    """The source expression that lets a Content-Security-Policy admit exactly this text.

    >>> inline_hash("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def tighten(text: str, kind: str) -> str:
    """Our own style or script with comments, indentation and line ends taken out.

    A script keeps its lines, so that a missing semicolon means what it meant; only whole
    lines of `//` comment and leading blanks go.
    """
    if kind == "css":
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        text = re.sub(r"\s+", " ", text)
        return re.sub(r"\s*([{};,>])\s*", r"\1", text).replace(": ", ":").replace(";}", "}").strip()
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _inline(name: str) -> str | None:
    prefix = "inline/"
    return inline_text(name.removeprefix(prefix)) if name.startswith(prefix) else None


def _folder(name: str) -> Path:
    packaged = resources.files(survey) / f"_{name}"
    if packaged.is_dir():
        return Path(str(packaged))
    return Path(str(survey.__file__)).parent.parent / name
