"""The second process: in order, kept from night to night, gone with the run, and done without where it is lost or refused."""

from __future__ import annotations

import logging
import operator
import os
import time
from typing import Any

import pytest

from pipelines.second_process import SecondProcess, second_process


def test_functions_run_in_another_process_in_the_order_in_which_they_were_submitted() -> None:
    with second_process() as second:
        other = second.submit(os.getpid)
        several = [second.submit(operator.mul, number, 2) for number in range(20)]
        assert other.result() != os.getpid()
        assert [one.result() for one in several] == list(range(0, 40, 2))


def test_it_is_kept_for_the_next_night_and_ends_with_a_failure_or_with_its_input() -> None:
    with second_process() as first:
        pass
    with second_process() as again:
        assert again is first and again.is_alive
    with pytest.raises(KeyError), second_process() as third:
        raise KeyError
    assert third is first and not third.is_alive
    with second_process() as fourth:
        assert fourth is not first
        process = fourth._process
        assert process is not None and process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=120) == 0


def test_what_is_not_done_when_the_run_fails_is_left() -> None:
    began = time.monotonic()
    with pytest.raises(KeyError), second_process() as second:
        waiting = [second.submit(time.sleep, 60) for _ in range(3)]
        raise KeyError
    assert time.monotonic() - began < 30
    assert all(one.cancelled() or one.exception() for one in waiting)


def test_an_error_of_a_function_comes_back_with_the_result_and_stops_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with second_process() as second, caplog.at_level(logging.WARNING):
        with pytest.raises(ZeroDivisionError):
            second.submit(operator.truediv, 1, 0).result()
        assert second.submit(operator.add, 1, 1).result() == 2
    assert not caplog.text


def test_a_process_that_was_killed_is_told_of_and_its_work_done_here(caplog: pytest.LogCaptureFixture) -> None:
    with SecondProcess() as second, caplog.at_level(logging.WARNING):
        assert second._process is not None
        second._process.kill()
        assert second.submit(os.getpid).result() == os.getpid()
    assert "the second process ended early" in caplog.text


def test_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pipelines.second_process.subprocess.Popen", refuse)
    with SecondProcess() as second:
        assert not second.is_alive
        assert second.submit(os.getpid).result() == os.getpid()
