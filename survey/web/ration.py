"""How often one token may ask, so that another system's runaway loop does not slow the people who answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil

from survey.web.errors import WebError

AT_ONCE = 600
A_SECOND = 10
"""A token may ask this often at once, and gets this many more each second: 600 a minute for as long as it likes."""


class TooOftenError(WebError):
    """The token has asked more often than its share."""

    code = "api.too_often"
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            "接口",
            f"这个令牌问得太勤，每分钟最多{A_SECOND * 60}次",
            f"请{seconds}秒后再问；取整份清单时把limit写大，没有变化的用If-None-Match",
        )
        self.headers = {"Retry-After": str(seconds)}


class Ration:
    """What each token still has, in this process's memory: a bucket that fills again by itself.

    >>> ration = Ration(at_once=2, a_second=1, clock=iter([0.0, 0.0, 0.0]).__next__)
    >>> [ration.spend("token") for _ in range(2)], ration.wait("token")
    ([True, True], 1)
    """

    def __init__(
        self, *, at_once: int = AT_ONCE, a_second: float = A_SECOND, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._at_once, self._a_second, self._clock = at_once, a_second, clock
        self._left: dict[str, tuple[float, float]] = {}

    def spend(self, token: str) -> bool:
        """Whether the token may ask once more now; if so that is counted."""
        now = self._clock()
        left, then = self._left.get(token, (float(self._at_once), now))
        left = min(left + (now - then) * self._a_second, self._at_once)
        allowed = left >= 1
        self._left[token] = (left - 1 if allowed else left, now)
        return allowed

    def wait(self, token: str) -> int:
        """Whole seconds until the token may ask again, at least one."""
        now = self._clock()
        left, then = self._left.get(token, (1.0, now))
        return max(ceil((1 - left) / self._a_second - (now - then)), 1)

    def take(self, token: str) -> None:
        """Count one request of the token.

        Raises:
            TooOftenError: its share is used up for the moment.
        """
        if not self.spend(token):
            raise TooOftenError(self.wait(token))
