"""Who somebody is here, by what their company's login says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.errors import PropensityError, one_of
from features.settings.login import OpenID, Role
from serving.stores.keys import SCOPES
from serving.stores.sessions import Person

GRANTED: dict[Role, str] = {
    "customer success": "write",
    "advocacy": "write",
    "data scientist": "admin",
    "admin": "admin",
}
"""The scope of each role: data scientists promote models, which takes the highest."""
OF_OWN = "customer success"
"""The role that sees its own accounts alone, where ``login.openid.owner`` says whose they are."""


def person(settings: OpenID, claims: Mapping[str, Any]) -> Person:
    """With the most that one of their roles may, and all accounts where one of them sees all.

    Raises PropensityError (403) where they have no role here, or a claim is missing that says who they are.
    """
    there = _texts(_claim(claims, settings.roles))
    roles = {settings.grants[role] for role in there if role in settings.grants}
    if not roles:
        raise PropensityError(
            "you are known, but have no role here",
            f"Whoever runs the login of your company gives roles; those that count here are {one_of(settings.grants)}.",
            status=403,
        )
    alone = settings.owner is not None and roles == {OF_OWN}
    return Person(
        name=_text(claims, settings.name),
        scope=max((GRANTED[role] for role in roles), key=SCOPES.index),
        owner=_text(claims, settings.owner) if alone and settings.owner is not None else None,
        issuer=settings.issuer,
        subject=str(claims["sub"]),
    )


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """By its name, or by the names on the way to it: ``realm_access.roles``."""
    if name in claims:
        return claims[name]
    outer, _, inner = name.partition(".")
    within = claims.get(outer)
    return _claim(within, inner) if inner and isinstance(within, Mapping) else None


def _texts(found: Any) -> list[str]:
    return [found] if isinstance(found, str) else [one for one in found if isinstance(one, str)] if isinstance(found, list) else []  # fmt: skip


def _text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that says who they are. An address that nobody has checked says nothing: anybody could give it as theirs."""
    found = _claim(claims, name)
    if not isinstance(found, str) or not found.strip() or not found.isprintable() or len(found) > 200:
        raise PropensityError(
            f"the login of your company does not say your {name}",
            "Whoever runs it has to add this claim to the ID token.",
            status=403,
        )
    if name == "email" and claims.get("email_verified", True) is not True:
        raise PropensityError(
            "the login of your company has not verified your address", "Have it verified there, then log in again.", status=403
        )  # fmt: skip
    return found
