"""BentoML as its tutorial has it: a method of a service, the model asked through a DataFrame; and a mounted route."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.serving.cases import BARE, OUTCOME
from features.workspace import load
from training.registry import Registry


async def nothing(_: Request) -> Response:
    return Response(b"{}", media_type="application/json")


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # BentoML's own dependencies deprecate each other
    import bentoml

    @bentoml.asgi_app(Starlette(routes=[Route(BARE, nothing)]))
    @bentoml.service(name="default", workers=1)
    class Default:
        def __init__(self) -> None:
            registry = Registry(load(Path(os.environ["PROPENSITY_WORKSPACE"])))
            self.model = registry.load(registry.require_champion(OUTCOME))

        @bentoml.api
        def score(self, row: dict[str, Any]) -> float:
            return float(self.model.scores(pd.DataFrame([row])).probability[0])
