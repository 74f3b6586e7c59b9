"""`survey serve`: the database, the intake and the pages, in one process.

granian reads HTTP in threads of its own, outside Python, so a thousand slow connections cost
the event loop nothing until their request is whole. It runs inside our loop, because database
and intake live there too; its switch for that is called experimental, and `tests/faults`
starts, loads, kills and stops it hundreds of times.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import signal
import socket
from pathlib import Path
from typing import Any

import click
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from granian.utils.proxies import wrap_asgi_with_proxy_headers

from survey.cli.control import control_door
from survey.cli.logs import begin_logging
from survey.cli.session import command_options, utc_now
from survey.errors import SurveyError
from survey.jobs.issued_files import settle_files
from survey.jobs.run_fieldwork import settle_waves
from survey.jobs.send_webhooks import send_until_stopped
from survey.settings import Settings, load_settings
from survey.storage.database import Database, open_database
from survey.storage.office import IntakeOffice
from survey.web.opening import Opening


class PortInUseError(SurveyError):
    """Another program listens on the port."""

    code = "serve.port_in_use"
    kind = "conflict"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"端口 {host}:{port}", "已被别的程序占用", f"关掉那个程序，或换一个端口：--port {port + 1}"
        )


class PortRefusedError(SurveyError):
    """The address cannot be listened on."""

    code = "serve.port_refused"
    kind = "refused"

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"地址 {host}:{port}", f"不能监听（{reason}）", "换一个地址或1024以上的端口")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything else starts.

    Raises:
        PortInUseError, PortRefusedError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
        door.listen(2048)
    except OSError as error:
        door.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(host, port) from error
        raise PortRefusedError(host, port, error.strerror or str(error)) from error
    return door


BACKLOG = 2048
HEADER_MILLISECONDS = 10_000
"""How long a request's head may take; a body has its own deadline where it is read."""


class Listener(Server):
    """granian in this process, on a socket that was taken before anything else started."""

    def __init__(self, application: Any, door: socket.socket) -> None:
        super().__init__(
            application,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            backpressure=5000,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
            log_enabled=False,
        )
        self._door = door

    def _init_shared_socket(self) -> None:
        # granian's annotations leave out the holder's constructor, and know `_shd` only before it is set.
        self._shd = SocketHolder(self._door.fileno(), False, BACKLOG)  # type: ignore[assignment, call-arg]
        self._ssp = None


def serve_until_stopped(settings: Settings, door: socket.socket) -> None:
    """Serve on uvloop, which is twice as fast, where it exists."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(settings, door))
    else:
        uvloop.run(serve(settings, door))


async def serve(settings: Settings, door: socket.socket) -> None:
    """Serve until told to stop; a batch in flight is committed before the process ends."""
    async with open_database(settings) as database:
        office = IntakeOffice(settings)
        await office.start(read_later=True)
        sending = asyncio.create_task(send_until_stopped(settings, utc_now))
        for reason in office.resting().values():
            click.echo(f"停收：{reason}", err=True)
        for wave in await settle_waves(settings, office, now=utc_now()):
            click.echo(f"上次停在半路的状态已经理顺：{wave}", err=True)
        for wave in await settle_files(settings):
            click.echo(f"上次停在半路的证书文件已经理顺：{wave}", err=True)
        try:
            opening = Opening(settings, office)
            application: Any = opening
            if settings.trusted_proxies:
                application = wrap_asgi_with_proxy_headers(application, list(settings.trusted_proxies))
            logging.getLogger("_granian").setLevel(logging.ERROR)
            server = Listener(application, door)
            loop = asyncio.get_running_loop()
            for stop in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(stop, server.stop)
            async with control_door(settings, database, office):
                completing = asyncio.create_task(complete(opening, database, server))
                try:
                    await server.serve()
                    await completing
                finally:
                    await opening.close()
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
            await office.stop()


async def complete(opening: Opening, database: Database, server: Listener) -> None:
    """Load the pages of the console and everything else; a server that cannot have them stops."""
    try:
        await opening.complete(database)
    except BaseException:
        server.stop()
        raise
    settle_down()


def settle_down() -> None:
    """Tell the interpreter that what is loaded stays.

    Modules and templates are left out of every later collection, and a collection comes after
    tens of thousands of new objects, since requests leave no cycles behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@click.command("serve")
@click.option("--host", default=None, help="监听地址，默认 127.0.0.1 (address to listen on)")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="端口，默认 8000 (port)")
@command_options
def serve_command(data: Path | None, host: str | None, port: int | None, as_json: bool) -> None:
    """启动服务：答卷页、控制台、接口、核验页。Serve the pages and the API."""
    settings = load_settings(data=data, host=host, port=port)
    begin_logging(settings.log_format)
    door = listen(settings.host, settings.port)
    if not as_json:
        click.echo(f"服务在 {settings.base_url} ，控制台 {settings.base_url}/console ，按 Ctrl+C 停止。")
    serve_until_stopped(settings, door)
