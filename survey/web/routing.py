"""Routers that are built for one application and registered with it as they are."""

from __future__ import annotations

from typing import Any

from litestar import Router


class OwnRouter(Router):
    """A router that nobody else registers.

    The framework copies a router deeply before it registers it, in case it is registered twice; with
    160 addresses that is a fifth of the application's start.
    """

    def __deepcopy__(self, _memo: dict[int, Any]) -> OwnRouter:
        return self
