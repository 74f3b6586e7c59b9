"""Requests that nobody's browser sends: a good form, damaged in every way known to us."""

from __future__ import annotations

import json
import random
import re
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"


def sending(code: str, body: bytes, kind: str = FORM, query: str = "") -> bytes:
    """A form on its way to a slip's address."""
    head = f"POST /s/{code}{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
    return head.encode("latin-1") + b"Content-Length: %d\r\n\r\n" % len(body) + body


def damaged(chance: random.Random, codes: list[str], good: bytes) -> bytes:
    """A request nobody's browser sends."""
    code, kind, query, body = chance.choice(codes), FORM, "", bytearray(good)
    for _ in range(chance.randint(1, 3)):
        way = chance.randrange(15)
        at = chance.randrange(len(body) + 1)
        if way == 0:
            del body[at : at + chance.randint(1, 40)]
        elif way == 1:
            body[at:at] = chance.randbytes(chance.randint(1, 60))
        elif way == 2:
            body += b"&" + bytes(body[: chance.randint(0, 80)])
        elif way == 3:
            body += b"&PA01=" + b"9" * chance.choice((1, 30, 70_000))
        elif way == 4:
            body[at:at] = chance.choice((b"%", b"%zz", b"%ff%fe", b"%ed%a0%80", b"%00", b"\x00", b"+&=", b"%u4e00"))
        elif way == 5:
            kind = chance.choice(
                ("application/json", "text/plain", "multipart/form-data; boundary=x", "", "application/xml", "a/b" * 99)
            )
        elif way == 6:
            body = bytearray(json.dumps({"k": "0" * 32, "answers": [[[]]] * 5}).encode())
        elif way == 7:
            body = bytearray(b"--x\r\nContent-Disposition: form-data; name=k\r\n\r\n1\r\n--x--")
        elif way == 8:
            body += b"".join(b"&f%d=1" % number for number in range(chance.choice((10, 600))))
        elif way == 9:
            code = chance.choice((code.lower(), code[:11], code + "2", "%00", "%FF" * 4, "a" * 3000, "23456789BCDF"))
        elif way == 10:
            query = chance.choice(("?z=9", "?lang=xx", "?z=%ff", "?" + "a=b&" * 300, "?lang=en&lang=zh", "?%00"))
        elif way == 11:
            body = bytearray(chance.randbytes(chance.randint(0, 2000)))
        elif way == 12:
            body += b"&PA25=" + urlencode({"": "\u202e\u0007\U0001f600" * chance.randint(1, 300)})[1:].encode()
        elif way == 13:
            body = bytearray(re.sub(rb"k=[0-9a-f]+", b"k=" + chance.choice((b"", b"zz", b"0" * 64)), bytes(body)))
        else:
            body = bytearray(b"&".join(chance.sample(parts := bytes(body).split(b"&"), len(parts))))
    return sending(code, bytes(body), kind, query)
