"""Cells of CSV files, as spreadsheets take them."""

from __future__ import annotations


def defused(cell: object) -> object:
    """Text that starts like a formula gets an apostrophe, so that a spreadsheet shows it and does not run it."""
    return "'" + cell if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
