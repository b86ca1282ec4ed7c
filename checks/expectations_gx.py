"""The only place where Great Expectations is imported: frames and checks in, numbers out.

It runs in the run's own process or in one beside it; nothing else depends on which.
Results are summaries without example values, so that nothing personal can be in them. No data context is written.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any, TypedDict

import pandas as pd

Check = dict[str, Any]

#: Imported by Great Expectations for expectations that we do not have, 2.4 s of its 7: loaded when something uses them.
_LATER = ("scipy.stats", "altair")


class Job(TypedDict):
    """A frame, and what is checked of it."""

    name: str
    frame: pd.DataFrame
    checks: list[Check]


class Answer(TypedDict):
    """What one check came to.

    `value` is a share in per cent (of all rows for `complete`, of filled-in values otherwise), or a number of rows;
    None where there was nothing to judge. `rows` is how many were judged. `failed` holds the positions of the rows
    that failed, for `within` checks only.
    """

    is_met: bool
    value: float | None
    rows: int
    failed: list[int]


def be_ready() -> None:
    """Import the library now, so that it need not be waited for later."""
    _source()


@cache
def _source() -> Any:
    """Import the library and make a context in memory: 4 to 9 s, once a process. Gives the data source for frames."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    with _imported_later(*_LATER):
        import great_expectations
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

    config = DataContextConfig(
        # Its own default makes a folder for a web site in the temporary directory and leaves it there.
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    context = great_expectations.get_context(mode="ephemeral", project_config=config)
    return context.data_sources.add_pandas("night")


@contextmanager
def _imported_later(*names: str) -> Iterator[None]:
    """Meanwhile a stand-in is imported for each of these modules; what holds it has the module as soon as it asks something of it."""
    stand_ins = {name: _stand_in(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            _forget(name, stand_in)


def _stand_in(name: str) -> ModuleType:
    def load_and_ask(attribute: str) -> Any:
        if attribute.startswith("__"):  # what the import machinery asks every module
            raise AttributeError(attribute)
        _forget(name, module)
        return getattr(importlib.import_module(name), attribute)

    module = ModuleType(name)
    module.__getattr__ = load_and_ask  # type: ignore[method-assign]
    return module


def _forget(name: str, stand_in: ModuleType) -> None:
    if sys.modules.get(name) is stand_in:
        del sys.modules[name]


def judge(jobs: list[Job]) -> list[list[Answer]]:
    """The answers to the checks of each job, in their order."""
    return [_judge_one(_source(), job) for job in jobs]


def _judge_one(source: Any, job: Job) -> list[Answer]:
    from great_expectations import ExpectationSuite

    if not job["checks"]:
        return []
    frame = job["frame"]
    asset = source.add_dataframe_asset(job["name"])
    try:
        batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
        suite = ExpectationSuite(name=job["name"])
        for position, check in enumerate(job["checks"]):
            expectation = _expectation(check)
            expectation.meta = {"position": position}
            suite.add_expectation(expectation)
        # Example values are switched off; which rows failed is asked for only where rows are feeds, not children.
        places = any(check["expect"] == "within" for check in job["checks"])
        form = {"result_format": "COMPLETE" if places else "SUMMARY", "partial_unexpected_count": 0}
        result = batch.validate(suite, result_format=form)
    finally:
        source.delete_asset(job["name"])
    found = {one.expectation_config.meta["position"]: one for one in result.results}
    return [_answer(job, check, found[position]) for position, check in enumerate(job["checks"])]


def _expectation(check: Check) -> Any:
    from great_expectations import expectations as gxe

    column, share = check["column"], (check.get("at_least") or 0) / 100
    match check["expect"]:
        case "rows":
            return gxe.ExpectTableRowCountToBeBetween(
                min_value=_whole(check["at_least"]), max_value=_whole(check["at_most"])
            )
        case "complete":
            return gxe.ExpectColumnValuesToNotBeNull(column=column, mostly=share)
        case "one_of":
            return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=check["values"], mostly=share)
        case "matches":
            return gxe.ExpectColumnValuesToMatchRegex(column=column, regex=check["pattern"], mostly=share)
        case "unique":
            return gxe.ExpectColumnValuesToBeUnique(column=column, mostly=share)
        case "dates":
            return gxe.ExpectColumnValuesToBeBetween(
                column=column, min_value=check["low"], max_value=check["high"], mostly=share
            )
        case "within":
            return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=check["low"], max_value=check["high"])
    raise ValueError(f"no expectation is called {check['expect']}")


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _answer(job: Job, check: Check, result: Any) -> Answer:
    if not result.result:
        # The library turns its own errors into "not met"; a bug is not a verdict.
        raise RuntimeError(
            f"Great Expectations could not evaluate {check['expect']} of {job['name']} {check['column']}"
        )
    found = result.result
    if check["expect"] == "rows":
        return Answer(
            is_met=bool(result.success),
            value=float(found["observed_value"]),
            rows=int(found["observed_value"]),
            failed=[],
        )
    looked_at = int(found["element_count"]) - int(found.get("missing_count") or 0)
    value = 100 - 100 * int(found["unexpected_count"]) / looked_at if looked_at else None
    failed = [int(place) for place in found.get("unexpected_index_list") or []] if check["expect"] == "within" else []
    return Answer(is_met=bool(result.success), value=value, rows=looked_at, failed=failed)
