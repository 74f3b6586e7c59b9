"""How a webhook is carried: to the very address that was vetted, while TLS still checks the name.

Loaded when something is sent; a server that tells nobody anything does without the library.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore


class VettedNetwork(httpcore.AsyncNetworkBackend):
    """Connects where `vet` says, and looks no name up a second time."""

    def __init__(self, vet: Callable[[str, int], Awaitable[str]] | None) -> None:
        """
        Args:
            vet: the address to connect to for a host and port; None takes any.
        """
        self._vet = vet
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to a vetted address of `host`."""
        address = host if self._vet is None else await self._vet(host, port)
        return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise ConnectionRefusedError

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)
