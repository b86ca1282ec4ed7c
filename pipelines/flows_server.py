"""`ehcp serve`: a Prefect server of our own, or the one that PREFECT_API_URL names, and the schedules on it.

Our own server keeps its state in SQLite under the data directory, listens on this machine only, sends no statistics
anywhere, and ends with us. It holds schedules, counts and log lines, and nothing about a child.
"""

from __future__ import annotations

import _thread
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from config.errors import ConfigurationError
from config.settings import Settings

HOST = "127.0.0.1"
#: A night that takes the slot keeps the others waiting; `serve` creates the limit, and without it no night starts.
LIMIT = "ehcp-night"
WAIT_FOR_NIGHT_SECONDS = 4 * 60 * 60
START_SECONDS = 180.0
STOP_SECONDS = 15.0
Say = Callable[[str], Any]


def environment(settings: Settings, port: int) -> dict[str, str]:
    """What the server, the schedules and every night that they start find in their environment."""
    home = (settings.data_dir / "prefect").resolve()
    ours = {
        "EHCP_DATA": str(settings.data_dir.resolve()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "ehcp,checks,connectors,outputs,pipelines",
    }
    if settings.config_dir:
        ours["EHCP_CONFIG"] = str(settings.config_dir.resolve())
    if not os.environ.get("PREFECT_API_URL"):
        ours["PREFECT_HOME"] = os.environ.get("PREFECT_HOME") or str(home)
        # The page asks this address, whatever port it is served from.
        ours["PREFECT_SERVER_UI_API_URL"] = f"http://{HOST}:{port}/api"
    return ours


@contextmanager
def prefect_server(settings: Settings, say: Say, port: int) -> Iterator[str]:
    """The address of the API: of the server that PREFECT_API_URL names, or of one that is started and stopped here.

    Raises ConfigurationError when the port is in use, the named server does not answer, or our own does not start.
    """
    os.environ.update(environment(settings, port))
    named = os.environ.get("PREFECT_API_URL")
    if named:
        if not answers(named):
            raise ConfigurationError(
                f"PREFECT_API_URL names {named}, and no Prefect server answers there.",
                "Start that server, correct the address, or unset the variable to have one started here.",
            )
        say(f"Using the Prefect server at {named}")
        yield named
        return
    if port_in_use(port):
        raise ConfigurationError(
            f"Port {port} is in use by another program.",
            f"Choose another: ehcp serve --port {port + 1}; or, if it is a Prefect server, use it:"
            f" PREFECT_API_URL=http://{HOST}:{port}/api",
        )
    api_url = f"http://{HOST}:{port}/api"
    home = Path(os.environ["PREFECT_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    log_file = home / "server.log"
    say(f"Starting a Prefect server on port {port} (its log: {log_file}) ...")
    with log_file.open("ab") as log:
        process = start_server(port, log)
    stopping = threading.Event()
    try:
        _wait_until_it_answers(process, api_url, log_file)
        say(f"Prefect server: http://{HOST}:{port}  (state in {home})")
        threading.Thread(target=_watch, args=(process, stopping, say, log_file), daemon=True).start()
        yield api_url
    finally:
        stopping.set()
        stop_server(process)
        say("The Prefect server has ended.")


def start_server(port: int, log: Any) -> subprocess.Popen[bytes]:
    """A Prefect server in a process group of its own: Ctrl-C reaches it through us, after the schedules ended."""
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, **apart)


def stop_server(process: subprocess.Popen[bytes]) -> None:
    """End the server: asked first, then without asking."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def port_in_use(port: int) -> bool:
    """Whether something on this machine listens on the port already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def answers(api_url: str) -> bool:
    """Whether a Prefect server answers at that address."""
    try:
        with urllib.request.urlopen(f"{api_url.rstrip('/')}/health", timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _wait_until_it_answers(process: subprocess.Popen[bytes], api_url: str, log_file: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        if answers(api_url):
            return
        time.sleep(0.3)
    raise ConfigurationError("The Prefect server did not start.", f"What it said is at the end of {log_file}.")


def _watch(process: subprocess.Popen[bytes], stopping: threading.Event, say: Say, log_file: Path) -> None:
    """Schedules without a server would wait for ever in silence: when it ends by itself, so do we."""
    process.wait()
    if not stopping.is_set():
        say(f"The Prefect server ended by itself; what it said is at the end of {log_file}.")
        _thread.interrupt_main()


@contextmanager
def stop_on_terminate() -> Iterator[None]:
    """Ctrl-C, a polite `kill` and the end of our server are all an end and no error; what was started ends with us."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def schedules_on(api_url: str, limits: dict[str, int]) -> Iterator[Callable[..., None]]:
    """Make that server ours and create the limits that the flows need; gives the function that runs deployments.

    It comes back on Ctrl-C. Schedules stay on while we are away: a night that was missed is run when we are back.
    """
    import prefect
    from prefect.client.orchestration import get_client
    from prefect.settings import temporary_settings

    updates: dict[Any, Any] = {"api.url": api_url}
    if "PREFECT_HOME" in os.environ:
        updates["home"] = Path(os.environ["PREFECT_HOME"])
    with temporary_settings(updates=updates):
        with get_client(sync_client=True) as client:
            for name, slots in limits.items():
                client.upsert_global_concurrency_limit_by_name(name, slots)
        yield partial(prefect.serve, pause_on_shutdown=False, print_starting_message=False, limit=1)
