"""Shared fixtures. Every child in these tests is invented."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Sample data beside the checkout, where a developer has it; the tests that need it say that they skipped."""
    folder = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the sample data folder ../shared/data is not beside this checkout")
    return folder
