"""Pictures of pages: of every page there is."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import browser, screenshots
from benchmarks.every_page import every_page, told
from features.errors import PropensityError
from serving.pages import places

MOST_BYTES = 250_000


def test_every_place_of_the_navigation_is_a_page_that_says_what_it_is_for() -> None:
    found = every_page({"account": "a/b?c"})
    assert {place.address for place in places()} <= set(found.values())
    assert found["account"] == "/app/accounts/a%2Fb%3Fc"
    assert all(told(name) for name in found)


def test_the_documentation_has_a_picture_of_every_page_and_none_is_heavy() -> None:
    shots = screenshots.shots()
    shown = "\n".join(screenshots.parts())
    for shot in shots:
        assert shot.file.stat().st_size < MOST_BYTES, shot.name
        assert f"(pages/{shot.file.name})" in shown
    assert {file.name for file in screenshots.PICTURES.glob("*.png")} == {shot.file.name for shot in shots}


def test_a_picture_in_few_colours_shows_the_same() -> None:
    out = io.BytesIO()
    made = Image.new("RGB", (40, 20), "#2456a6")
    made.save(out, "PNG")
    small = Image.open(io.BytesIO(screenshots.small(out.getvalue()))).convert("RGB")
    assert list(small.get_flattened_data()) == list(made.get_flattened_data())


def test_without_a_browser_the_error_names_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PropensityError) as refused:
        browser.executable()
    assert "make browser" in refused.value.hint
