"""How long pages take: every page there is, through the real server."""

from __future__ import annotations

import httpx

from benchmarks import page_times, pages
from benchmarks.every_page import every_page


def test_every_page_is_timed_beside_a_bare_route(client: httpx.Client) -> None:
    timed = pages.visited(client, "/livez", 1)
    rows = [one.row(timed[0].later[0], 300) | {"load": 1.0} for one in timed]
    assert [row["what"] for row in rows] == ["a bare route", *every_page({"account": "a"})]
    assert [row["wrong"] for row in rows] == [""] * len(rows)
    assert rows[0]["ratio"] == 1
    table = "\n".join(page_times.parts(rows))
    assert all(f"| {row['what']} |" in table for row in rows)
    assert page_times.parts([]) == []
