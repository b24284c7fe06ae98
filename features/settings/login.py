"""The section about logging in to the pages: how long it lasts, and the OpenID provider that says who somebody is."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from features.settings.base import Strict

Role = Literal["customer success", "advocacy", "data scientist", "admin"]


def _address(text: str) -> str:
    """https, or http on this machine alone; without what would make two addresses of one."""
    parts = urlsplit(text)
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is no address such as https://login.example.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and _here(parts.hostname)):
        raise ValueError(f"{text!r} is not https; http is for this machine alone")
    return text


def _here(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _origin(text: str) -> str:
    if urlsplit(_address(text)).path not in {"", "/"}:
        raise ValueError(f"{text!r} has a path; pages are served under /app of an address of their own")
    return text.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]
Origin = Annotated[str, AfterValidator(_origin)]
Claim = Annotated[str, Field(min_length=1)]


class OpenID(Strict):
    """A provider of OpenID Connect, and what its claims mean here.

    ``secret`` names the environment variable that holds the client's secret; without it the client is a public one.
    ``name`` is the claim under which somebody is written down, ``roles`` the one that says which roles they have there,
    and ``grants`` what these are here. Who has none of them does not get in. ``owner`` is the claim that says which owner
    of the accounts they are: with it, customer success sees its own accounts alone.
    """

    issuer: Address
    client_id: Annotated[str, Field(min_length=1)]
    secret: Annotated[str, Field(pattern="^[A-Z][A-Z0-9_]*$")] | None = None
    label: Annotated[str, Field(min_length=1, max_length=40)] = "your company's login"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    name: Claim = "email"
    roles: Claim = "roles"
    grants: Annotated[dict[str, Role], Field(min_length=1)]
    owner: Claim | None = None

    @model_validator(mode="after")
    def _asks_for_openid(self) -> OpenID:
        if "openid" not in self.scopes:
            raise ValueError("login.openid.scopes must have openid among them")
        return self


class Login(Strict):
    """How people log in to the pages.

    A session ends when it was not used for ``idle_hours``, and after ``hours`` in any case. ``attempts_per_minute`` is of
    one address, 0: no limit. ``public_url`` is how people reach the service: where it is https, cookies travel by https alone.
    """

    idle_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 8.0
    hours: Annotated[float, Field(gt=0, le=24 * 90)] = 24.0
    attempts_per_minute: Annotated[int, Field(ge=0)] = 30
    public_url: Origin | None = None
    openid: OpenID | None = None

    @model_validator(mode="after")
    def _a_way_back(self) -> Login:
        if self.openid is not None and self.public_url is None:
            raise ValueError("login.public_url is required with login.openid: the provider sends people back there")
        return self

    @property
    def secure(self) -> bool:
        return self.public_url is not None and self.public_url.startswith("https:")
