"""When a form was drawn, in a hidden field that cannot be made up.

The stamp tells only how fast a form was filled, in three coarse steps, and is forgotten
with the request. Its key lives as long as the process: after a restart a stamp from before
is simply not believed, and the response carries no pace.
"""

from __future__ import annotations

import hmac
from functools import lru_cache


def make_stamp(key: bytes, second: int) -> str:
    """The second a form was drawn, with its authenticator: 8 + 16 hex digits."""
    return f"{second & 0xFFFFFFFF:08x}{_mac(key, second & 0xFFFFFFFF)}"


def read_stamp(key: bytes, stamp: str) -> int | None:
    """The second in a stamp of ours, or None when it is not ours."""
    try:
        second = int(stamp[:8], 16)
    except ValueError:
        return None
    return second if hmac.compare_digest(_mac(key, second).encode(), stamp[8:].encode()) else None


def _mac(key: bytes, second: int) -> str:
    begun = _begun(key).copy()
    begun.update(second.to_bytes(4, "big"))
    return begun.digest()[:8].hex()


@lru_cache(maxsize=4)
def _begun(key: bytes) -> hmac.HMAC:
    """The authenticator up to its label; `hmac.digest` would also let go of the interpreter every time."""
    return hmac.new(key, b"survey/v1/stamp\0", "sha256")
