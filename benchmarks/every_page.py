"""Every page, found as the service finds them, with an address at which there is something to be seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import ModuleType
from urllib.parse import quote

from fastapi.routing import APIRoute

from serving import pages

ASKED = {"/app/search": "?q=wind"}
"""What is asked of a page that shows nothing unasked."""
HOLE = re.compile(r"{(\w+)(?::\w+)?}")


def every_page(given: Mapping[str, str]) -> dict[str, str]:
    """The address of each page by its name, which is that of its file; ``given`` fills what paths leave open."""
    return {
        _name(module) + ("" if at == 0 else f"-{at + 1}"): _filled(path, given)
        for module in pages.modules()
        if hasattr(module, "PAGE")
        for at, path in enumerate(_paths(module))
    }


def told(name: str) -> str:
    """What a page is for, as its file says."""
    module = next(one for one in pages.modules() if _name(one) == name)
    first = " ".join((module.__doc__ or "").strip().split("\n\n")[0].split())
    _, _, said = first.partition(": ")
    return said[:1].upper() + said[1:]


def _name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2].replace("_", "-")


def _paths(module: ModuleType) -> list[str]:
    """Those of its routes that show a page, not a file to be kept."""
    shown = [one for one in module.router.routes if isinstance(one, APIRoute) and "GET" in one.methods]
    return [one.path for one in shown if not one.path.endswith((".csv", ".json"))]


def _filled(path: str, given: Mapping[str, str]) -> str:
    return HOLE.sub(lambda hole: quote(given[hole[1]], safe=""), path) + ASKED.get(path, "")
