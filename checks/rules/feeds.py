"""SR: source feeds. Is what arrived tonight whole, fresh and readable?"""

from functools import partial

from checks.engine import CRITICAL, FEED, HIGH, MEDIUM, SAFETY, rule

feed_rule = partial(
    rule, kind=FEED, owner="Data team", fix_in="the extract job of the source system", uses=(), field="{feed}"
)


@feed_rule("SR01", "Extract missing", shared="{source}", severity=CRITICAL, todo="Ask the system's owner for tonight's extract; the last accepted one is used until then.",
           thing="feed", detail="{reason}")  # fmt: skip
def extract_missing(feeds):
    """An expected feed of a system has no file or no rows for this run."""
    return feeds.is_expected & (feeds.status == "missing")


@feed_rule("SR02", "Extract stale", shared="{source}", severity=HIGH, todo="Check that the extract job of the source system still runs.", thing="feed",
           detail="newest date carried {newest_on}, file of {modified_on}")  # fmt: skip
def extract_stale(feeds):
    """The newest date the feed carries, and the file's own date, are older than the feed's freshness limit."""
    return feeds.is_stale


@feed_rule("SR03", "Volume moved", severity=HIGH, todo="Ask why the number of rows moved; if it is right, accept the feed with a reason.", thing="feed",
           detail="{previous_rows} rows in the last accepted run, {rows} now: {status}", needs=("previous_rows",))  # fmt: skip
def volume_moved(feeds):
    """The row count differs from the last accepted run by more than the feed's limits (10% and 20 rows unless set)."""
    return feeds.is_volume_moved


@feed_rule("SR04", "Row quarantined", among="feeds.rows", shared="{source} {feed}: {reason}", severity=MEDIUM, todo="Correct the row at source; its raw text is in the private store.", thing="line_key",
           detail="line {line}: {reason}")  # fmt: skip
def row_quarantined(set_aside):
    """A row breaks its feed's contract: no key, an unparseable date, a wrong type."""
    return set_aside.line.notna()


@feed_rule("SR05", "Unknown code", among="feeds.rows", shared="{source} {feed}, {column}: {value}", severity=MEDIUM, todo="Correct the code at source, or add it to the feed's code map.", thing="value_key",
           detail="{column}: code {value} is not in the code map")  # fmt: skip
def unknown_code(unknown_codes):
    """A coded value that the feed's code map does not hold."""
    return unknown_codes.value.notna()


@feed_rule("SR06", "Column headings changed", among="feeds", severity=HIGH, todo="Ask what changed in the extract; name the column in the source's profile.", thing="feed",
           detail="{reason}")  # fmt: skip
def header_drift(header_changes):
    """A column expected is absent (the feed is refused), or a new one appeared (reported)."""
    return header_changes.reason.notna()


@feed_rule(
    "SR07",
    "Repeated row",
    among="feeds.rows",
    shared="{source} {feed}",
    severity=MEDIUM,
    todo="Remove the second row at source, or correct its key.",
    detail="line {line}: same key more than once",
)
def repeated_row(repeated):
    """The same source key twice in one feed."""
    return repeated.row_id.notna()


@rule("SR08", "Child vanished", among="register", shared="{source} {feed}, last carried on {last_carried_on}", severity=CRITICAL, kind=SAFETY, owner="SEN casework", fix_in="the system that no longer holds the child",
      todo="Find out why the record went; restore it, or record the cease, transfer or death.", uses=(), thing="source", field="{feed}",
      detail="last carried on {last_carried_on}")  # fmt: skip
def child_vanished(vanished):
    """A child of the register whose record a people feed carried in an earlier accepted run and no longer does, unexplained."""
    return vanished.is_on_register
