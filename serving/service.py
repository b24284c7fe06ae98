"""The BentoML service: the only module that imports BentoML; no logic.

On SIGTERM nobody new is let in and what is at work is finished. A worker that is killed is started again by BentoML (in
a container BentoML ends instead, and the container is what has to be started again): until it has loaded, requests wait
at the socket; those that were at work are broken off. Whether such a one had written is not known to who sent it, so
writing requests carry an Idempotency-Key and are sent again; what was answered with 201 is in the log.
"""

from __future__ import annotations

import os
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # BentoML's own dependencies deprecate each other
    from bentoml import service

from features.workspace import load
from serving.start import WORKSPACE

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp

    from serving.web.guard import Front


@cache
def application() -> FastAPI:
    """What answers, made where it is needed: BentoML's process that only watches over the worker loads none of it."""
    from serving.web import application as web

    return web.application()


@service(
    name="propensity",
    workers=1,
    tracing={"excluded_urls": "."},  # all of them: its hooks cost a third of a request, and nothing is exported
    logging={"access": {"enabled": False}},  # serving.web.guard logs and counts by route; BentoML would by path, and
    metrics={"enabled": False, "namespace": "propensity"},  # keep a time series for every account id ever asked for
)
class Propensity:
    """The scores of the workspace that PROPENSITY_WORKSPACE names."""

    def __init__(self) -> None:
        from serving.web import application as web

        web.start(application(), load(Path(os.environ[WORKSPACE])))

    def __is_ready__(self) -> bool:
        from serving.web import application as web

        return web.ready(application())


def front(app: ASGIApp) -> Front:
    from serving.web.guard import Front, Guard

    return Front(app, ours=Guard(application()))


Propensity.add_asgi_middleware(front)  # type: ignore[attr-defined]
