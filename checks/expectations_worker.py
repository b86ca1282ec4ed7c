"""Great Expectations in a process of its own, which imports it while the run is still reading files.

Importing it takes 6 to 9 s, a third of a whole night, and the second core is idle then. The frames go over as a
pickle through a pipe: nothing personal touches a disk, and no file is left behind. The process ends when its input
does, so none outlives the run, however the run ends. Where a process cannot be started, or ends too early, the same
checks run in the run's own process: slower, with the same result.
"""

from __future__ import annotations

import atexit
import importlib
import logging
import os
import pickle
import subprocess
import sys
import threading
from types import ModuleType, TracebackType
from typing import IO, Any

from checks.expectations_gx import Answer, Job, judge, load

log = logging.getLogger(__name__)

#: Imported by Great Expectations for expectations that we do not have, 2.4 s of its 7: loaded when something uses them.
LATER = ("scipy.stats", "altair")
#: A worker that the last night of this process left running, so that the next one need not start its own.
_kept: list[Worker] = []


class Worker:
    """A second process that judges jobs. `submit`, go on with other work, then `collect`; `close` when done.

    One set of jobs at a time. As a context manager it ends with the run when something went wrong; else it is kept for
    the next night of the same process, and ends with the process.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._jobs: list[Job] = []
        self._answers: list[list[Answer]] | None = None
        self._source: Any = None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "checks.expectations_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as problem:
            log.warning("expectations: no second process (%s); they run in this one", problem.strerror)

    def submit(self, jobs: list[Job]) -> None:
        """Hand jobs over and come back at once; the worker begins as soon as it has finished importing."""
        if self._thread is not None:
            raise RuntimeError("collect the answers to the last jobs first")
        self._jobs, self._answers = jobs, None
        self._thread = threading.Thread(target=self._exchange, name="expectations", daemon=True)
        self._thread.start()

    def collect(self) -> list[list[Answer]]:
        """The answers to the submitted jobs, waiting for them where they are not there yet."""
        if self._thread is None:
            raise RuntimeError("no jobs were submitted")
        self._thread.join()
        self._thread = None
        if self._answers is None:
            if self._process is not None:
                log.warning("expectations: the second process ended early; they run in this one")
                self.close()
            self._source = self._source or load()
            self._answers = judge(self._source, self._jobs)
        self._jobs = []
        return self._answers

    def _exchange(self) -> None:
        """Send and receive, in a thread, because a pipe holds little until the other side reads."""
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            return
        try:
            send(self._process.stdin, self._jobs)
            self._answers = pickle.load(self._process.stdout)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            # Left for `collect`, which does the work here; a bug then shows its own traceback.
            self._answers = None

    def close(self) -> None:
        """End the second process. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if self._thread is not None:
            self._thread.join()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still in the pipe has nobody to go to
                    log.debug("expectations: the pipe was already closed")

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None and self._thread is None and self.is_alive and not _kept:
            _kept.append(self)
            atexit.register(self.close)
        else:
            self.close()

    @property
    def is_alive(self) -> bool:
        """Whether the second process is there."""
        return self._process is not None and self._process.poll() is None


def start_worker() -> Worker:
    """A worker, at the beginning of a night: the one that the last night kept, or a new one."""
    while _kept:
        worker = _kept.pop()
        if worker.is_alive:
            return worker
        worker.close()
    return Worker()


def send(pipe: IO[bytes], what: Any) -> None:
    """Write one object to a pipe."""
    pickle.dump(what, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def import_later(name: str) -> None:
    """Put a stand-in where a module would be, which imports the module when something is asked of it."""

    def load_and_ask(attribute: str) -> Any:
        if attribute.startswith("__"):  # what the import machinery asks every module
            raise AttributeError(attribute)
        sys.modules.pop(name, None)
        return getattr(importlib.import_module(name), attribute)

    stand_in = ModuleType(name)
    stand_in.__getattr__ = load_and_ask  # type: ignore[method-assign]
    sys.modules[name] = stand_in


def main() -> None:
    """The second process: import, then answer sets of jobs until the input ends."""
    # Whatever a library prints goes nowhere; the answers have the pipe for themselves.
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for name in LATER:
        import_later(name)
    source = load()
    while True:
        try:
            jobs = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        send(replies, judge(source, jobs))
        del jobs  # the frames of children are not kept until the next night


if __name__ == "__main__":
    main()
