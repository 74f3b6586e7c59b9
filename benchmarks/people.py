"""People with a slip: they open the form, think, send it once, and keep what they were told."""

from __future__ import annotations

import asyncio
import gzip
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from damage import sending
from lines import LOCATION, RETRY_AFTER, Lines, Reply, Tally

from survey.certification.receipt import parse_receipt
from survey.certification.transparency_log import leaf_hash
from survey.settings import Settings
from survey.storage.database import open_database
from survey.storage.office import IntakeOffice

HIDDEN = re.compile(r'<input type="hidden" name="([kvs])" value="([^"]*)"')
TRIES = 8


def opening(code: str) -> bytes:
    """A request for a slip's form, as a phone's browser makes it."""
    return f"GET /s/{code} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n".encode()


def hidden_of(reply: Reply) -> dict[str, str]:
    """The hidden fields of a form: submission key, version, stamp; empty where no form came."""
    body = gzip.decompress(reply.body) if reply.body[:2] == b"\x1f\x8b" else reply.body
    return dict(HIDDEN.findall(body.decode("utf-8", "replace")))


def receipt_of(reply: Reply) -> str:
    """The receipt in the address of the thanks page, or nothing."""
    address = reply.header(LOCATION).partition("?")[0]
    return address.rsplit("/", 1)[1] if reply.status == 303 and len(address) > 200 else ""


@dataclass
class People:
    """Visitors who share lines to one server and remember the version of the form."""

    lines: Lines
    tally: Tally
    answers: str
    read_one_in: int = 20
    """Every so many-eth unpacks the page it was given and sends that page's own key and stamp; the others
    take a key of their own and the stamp of the last page that was read, which spares this process the
    unpacking and the server nothing."""
    longest_wait: float = 60.0
    """Nobody waits longer than this before trying again, whatever a 503 says."""
    kept: dict[str, str] | None = None
    opened: int = 0

    async def open_form(self, code: str, due: float | None = None) -> dict[str, str]:
        """The hidden fields to send, or nothing when no form came."""
        reply = await self.lines.ask("form", opening(code), due)
        if reply.status != 200:
            return {}
        self.opened += 1
        if self.kept is None or self.opened % self.read_one_in == 0:
            fields = hidden_of(reply)
            if len(fields) == 3:
                self.kept = fields
            return fields
        return {**self.kept, "k": secrets.token_hex(16)}

    async def send(self, code: str, hidden: dict[str, str], due: float | None = None) -> str:
        """Send until told; a 503 is tried again after the time it names, as the page's script does."""
        due = time.monotonic() if due is None else due
        body = sending(code, f"{urlencode(hidden)}&{self.answers}".encode())
        for _ in range(TRIES):
            reply = await self.lines.ask("sending", body, due)
            if reply.status not in (0, 503):
                break
            due = time.monotonic() + min(float(reply.header(RETRY_AFTER) or "1"), self.longest_wait)
            await asyncio.sleep(due - time.monotonic())
        if receipt := receipt_of(reply):
            self.tally.receipts.append(receipt)
        return receipt

    async def visit(self, code: str, due: float, thinking: float) -> None:
        """Scan, think, send once."""
        hidden = await self.open_form(code, due)
        if not hidden:
            return
        sends_at = time.monotonic() + thinking
        await asyncio.sleep(thinking)
        await self.send(code, hidden, sends_at)


async def hold(settings: Settings, wave: str, receipts: list[str]) -> dict[str, int]:
    """Every receipt against the log: its leaf stands where it says, and no leaf stands twice."""
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        leaves = await office.leaves(wave)
        slips = await office.slips(wave)
        await office.stop()
    told = [(one.index, one.leaf_hash) for one in map(parse_receipt, receipts)]
    lost = sum(index >= len(leaves) or leaf_hash(leaves[index]) != hashed for index, hashed in told)
    used = sum(state in ("used", "disputed") for _, _, state in slips)
    doubled = len(leaves) - len(set(leaves)) + len(told) - len({index for index, _ in told})
    return {"in_the_log": len(leaves), "slips_used": used, "lost": lost, "doubled": doubled}
