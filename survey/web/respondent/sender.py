"""Where a poster's form came from, as a tag that lives in memory and for one day.

The intake counts how many answers of a domain came from one address within an hour and keeps
only the largest count (indicator I6). It is handed no address but a keyed digest whose key
changes every day and is never stored, so nothing that is kept leads back to anybody. Slips
are used once each and need no such count; a school shares one address anyway.
"""

import hashlib
import hmac
from datetime import datetime

from survey.web.respondent.misses import network_of

TAG_BYTES = 16


def sender_tag(key: bytes, address: str, now: datetime) -> bytes:
    """The day's tag of an address.

    >>> from datetime import UTC
    >>> one = sender_tag(b"k", "10.0.0.1", datetime(2026, 11, 24, 1, tzinfo=UTC))
    >>> one == sender_tag(b"k", "10.0.0.1", datetime(2026, 11, 24, 9, tzinfo=UTC))
    True
    >>> one == sender_tag(b"k", "10.0.0.1", datetime(2026, 11, 25, 1, tzinfo=UTC))
    False
    """
    day_key = hmac.digest(key, b"survey/v1/sender\x00" + now.date().isoformat().encode(), hashlib.sha256)
    return hmac.digest(day_key, network_of(address).encode(), hashlib.sha256)[:TAG_BYTES]
