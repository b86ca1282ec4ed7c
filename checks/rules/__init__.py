"""The exception rules, a module per group of the catalogue. Each is a function from tables to a boolean column."""

from importlib import import_module

GROUPS = ("feeds", "identity", "whereabouts", "placements", "awaiting", "plans", "reviews", "visits")


def load_all() -> None:
    """Import every group, so that each rule has declared itself."""
    for group in GROUPS:
        import_module(f"checks.rules.{group}")
