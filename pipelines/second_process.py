"""A second process beside the run, for what the second core can do meanwhile: judge whole feeds, check the linking, write workbooks.

Importing Great Expectations alone takes 6 to 9 s, a third of a whole night, and one core of two is idle for most of a night. Functions go over by
their name, with their frames, as a pickle through a pipe: nothing personal touches a disk, and no file is left behind. The process ends when its
input does, so none outlives the run, however the run ends. Where a process cannot be started, or ends too early, the same functions run in the
run's own: slower, with the same result.
"""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import IO, Any

log = logging.getLogger(__name__)

#: What Python ends with after an error that nothing caught.
_UNCAUGHT = 1
#: How long a process that has closed its pipes may take to end by itself.
_ENDS_IN_SECONDS = 10.0
#: One that the last night of this process left running, so that the next one need not start its own.
_kept: list[SecondProcess] = []


class SecondProcess:
    """Runs functions one after the other, in the order in which they were submitted; each gives a future.

    As a context manager it ends with the run when something went wrong; else it is kept for the next night of the same process, and ends with
    the process.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._queue = ThreadPoolExecutor(max_workers=1, thread_name_prefix="second process")
        self._last: Future[Any] | None = None
        self._is_closing = False
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "pipelines.second_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as problem:
            log.warning("there is no second process (%s); its work is done in this one", problem.strerror)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a function of a module called with these arguments, and come back at once.

        The arguments are read while they go over: do not change a frame in place before the result is there.
        """
        self._last = self._queue.submit(self._ask, function, arguments)
        return self._last

    def _ask(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """In a thread, because a pipe holds little until the other side reads."""
        process = self._process
        if process is not None and process.stdin is not None and process.stdout is not None:
            try:
                send(process.stdin, (function, arguments))
                return pickle.load(process.stdout)
            except (OSError, EOFError, ValueError, pickle.UnpicklingError):
                if not self._is_closing:
                    self._end()
                    # An error of the function itself shows its own traceback here.
                    if process.returncode != _UNCAUGHT:
                        log.warning("the second process ended early; its work is done in this one")
        if self._is_closing:
            raise CancelledError
        return function(*arguments)

    def close(self) -> None:
        """End the process, and with it what is not done yet. Safe to call twice."""
        self._is_closing = True
        self._end()
        self._queue.shutdown(cancel_futures=True)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if not self._is_closing:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_IN_SECONDS)
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still in the pipe has nobody to go to
                    log.debug("the pipe was already closed")

    def __enter__(self) -> SecondProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        is_idle = self._last is None or self._last.done()
        if error is None and is_idle and self.is_alive and not _kept:
            _kept.append(self)
            atexit.register(self.close)
        else:
            self.close()

    @property
    def is_alive(self) -> bool:
        """Whether the second process is there."""
        return self._process is not None and self._process.poll() is None


def second_process() -> SecondProcess:
    """One for a night: the one that the last night kept, or a new one."""
    while _kept:
        kept = _kept.pop()
        if kept.is_alive:
            return kept
        kept.close()
    return SecondProcess()


def send(pipe: IO[bytes], what: Any) -> None:
    """Write one object to a pipe."""
    pickle.dump(what, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def main() -> None:
    """The second process: answer calls until the input ends."""
    # Whatever a library prints goes nowhere; the answers have the pipe for themselves.
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while True:
        try:
            function, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        send(replies, function(*arguments))
        del function, arguments  # the frames of children are not kept until the next call


if __name__ == "__main__":
    main()
