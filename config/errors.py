"""What a user is told when something is wrong: two lines, what happened and what to do, and a fixed exit code."""

from __future__ import annotations

EXIT_OK = 0
EXIT_BUG = 1
EXIT_EXTRACT_MISSING = 10
EXIT_FEED_REFUSED = 11
EXIT_EXPECTATION_STOPPED = 12
EXIT_NOT_VERIFIED = 13
EXIT_CONFIGURATION = 14


class EhcpError(Exception):
    """Something a person can put right. `what` happened, and what `todo` about it; never a name or an address."""

    exit_code = EXIT_BUG

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo

    def __str__(self) -> str:
        return f"{self.what}\n{self.todo}"


class ConfigurationError(EhcpError):
    """A setting, a profile or a place that does not exist or does not make sense."""

    exit_code = EXIT_CONFIGURATION


class ExtractError(EhcpError):
    """An extract that is missing, locked, still being written or too old."""

    exit_code = EXIT_EXTRACT_MISSING


class FeedRefusedError(EhcpError):
    """A feed that lost a needed column, is not what its profile says, or cannot be read at all."""

    exit_code = EXIT_FEED_REFUSED


class ReturnRefusedError(EhcpError):
    """A workbook handed back that cannot be read, or is none that was handed out."""

    exit_code = EXIT_FEED_REFUSED


class PublicationStoppedError(EhcpError):
    """An expectation that must hold before anything is published does not."""

    exit_code = EXIT_EXPECTATION_STOPPED


class StoreError(EhcpError):
    """The database or the data directory cannot be used: locked, vanished, full or of another version."""

    exit_code = EXIT_CONFIGURATION


class MailError(EhcpError):
    """A message that did not leave. It never says to whom, or with which password."""

    exit_code = EXIT_CONFIGURATION
