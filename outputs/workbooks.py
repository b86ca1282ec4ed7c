"""The three workbooks, in one place to import from. Each has a module of its own."""

from __future__ import annotations

from outputs.exceptions_workbook import write_exceptions
from outputs.kpis_workbook import write_kpis
from outputs.register_workbook import write_register

__all__ = ["write_exceptions", "write_kpis", "write_register"]
