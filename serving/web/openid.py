"""The company's own login: OpenID Connect, by authorization code with PKCE; what the provider says is checked here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import Key, KeySet
from joserfc.jws import JWSRegistry, extract_compact
from pydantic import BaseModel, ValidationError

from features.errors import PropensityError
from features.settings.login import Address, Login, OpenID
from serving.web.html import APP

LOG = logging.getLogger("propensity")
BACK = f"{APP}/login/openid/back"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
"""Only those whose keys everybody may know: of a shared secret, whoever can check a token can make one."""
CHECKED = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
SECONDS = 5.0
"""How long the provider may take to send something."""
MOST_BYTES = 1_000_000
AT_ONCE = 4
"""Who waits for a slow provider does not take the room of the others."""
LEEWAY = 60
FRESH = 600
"""A token was made for this login, so so many seconds ago at most."""
KNOWN = timedelta(hours=1)
"""How long what the provider says of itself is taken to be so."""
AGAIN = timedelta(minutes=1)
"""Its keys are not asked for more often than this, whatever tokens name."""
AWAY = PropensityError("the login of your company cannot be reached", "Try again, or log in with a key.", status=503)
BUSY = PropensityError("too many people are logging in", "Try again in a moment.", status=503)
REFUSED = PropensityError(
    "you could not be logged in", "Try again; if it stays so, the log of the service says why.", status=401
)


class Discovery(BaseModel):
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: Address
    token_endpoint: Address
    jwks_uri: Address
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] = ("S256",)
    authorization_response_iss_parameter_supported: bool = False


class Provider:
    """The provider of a workspace. Nothing is asked of it before somebody logs in.

    Raises PropensityError where the client's secret is not in the environment.
    """

    def __init__(self, login: Login, now: Callable[[], datetime]) -> None:
        assert login.openid is not None
        assert login.public_url is not None
        self.settings: OpenID = login.openid
        self.back = login.public_url + BACK
        self._now, self._secret = now, secret_of(login.openid)
        self._room, self._lock = threading.BoundedSemaphore(AT_ONCE), threading.Lock()
        self._discovered: tuple[Discovery, datetime] | None = None
        self._keys: tuple[KeySet, datetime] | None = None

    def way(self, state: str, browser: str) -> str:
        """Where somebody logs in. What proves on their return that they set out is made of the browser's cookie."""
        with self._asking() as client:
            there = self._discovery(client).authorization_endpoint
        challenge = base64.urlsafe_b64encode(hashlib.sha256(_made(browser, "verifier", state).encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.back,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": _made(browser, "nonce", state),
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}"

    def claims(self, state: str, browser: str, code: str, issuer: str | None) -> Mapping[str, Any]:
        """What the provider says of whoever came back with this code; raises PropensityError (401, 503)."""
        with self._asking() as client:
            found = self._discovery(client)
            named = issuer is not None or found.authorization_response_iss_parameter_supported
            if named and issuer != self.settings.issuer:  # RFC 9207: another provider's answer
                raise refused("the answer was of another issuer")
            told = self._token(client, found, code, _made(browser, "verifier", state))
            return self._checked(client, found, told, _made(browser, "nonce", state))

    def _token(self, client: httpx.Client, found: Discovery, code: str, verifier: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.back, "code_verifier": verifier}
        named = {"client_id": self.settings.client_id}
        auth: httpx.BasicAuth | None = None
        if self._secret is None:
            form |= named
        elif "client_secret_basic" in found.token_endpoint_auth_methods_supported:
            auth = httpx.BasicAuth(quote(self.settings.client_id, safe=""), quote(self._secret, safe=""))
        else:
            form |= named | {"client_secret": self._secret}
        answer = _asked(client, client.build_request("POST", found.token_endpoint, data=form), auth)
        if not isinstance(told := answer.get("id_token"), str):
            raise refused("the provider gave no ID token")
        return told

    def _checked(self, client: httpx.Client, found: Discovery, told: str, nonce: str) -> Mapping[str, Any]:
        """The claims of an ID token, by OpenID Connect Core 3.1.3.7."""
        ours, now = self.settings.client_id, int(self._now().timestamp())
        claims = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": ours},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            said = jwt.decode(told, self._key(client, found, told), registry=CHECKED).claims
            claims.validate(said)
        except (JoseError, ValueError) as error:
            raise refused(f"its ID token was {type(error).__name__}: {error}") from error
        several = isinstance(said["aud"], list) and len(said["aud"]) > 1
        if (several or "azp" in said) and said.get("azp") != ours:
            raise refused("its ID token was given to another client")
        if said["iat"] < now - FRESH - LEEWAY:
            raise refused("its ID token was of another time")
        return said

    def _key(self, client: httpx.Client, found: Discovery, told: str) -> Key:
        """Whose signature it should be. Of a key that is not known, the provider is asked once more: it may be new."""
        kid = extract_compact(told.encode(), registry=CHECKED).headers().get("kid")
        try:
            return self._key_set(client, found, KNOWN).get_by_kid(kid)
        except InvalidKeyIdError:
            return self._key_set(client, found, AGAIN).get_by_kid(kid)

    def _key_set(self, client: httpx.Client, found: Discovery, young: timedelta) -> KeySet:
        with self._lock:
            if self._keys is None or self._now() - self._keys[1] >= young:
                told = _asked(client, client.build_request("GET", found.jwks_uri))
                try:
                    self._keys = KeySet.import_key_set(told), self._now()  # type: ignore[arg-type]
                except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
                    raise refused(f"its keys cannot be read: {type(error).__name__}") from error
            return self._keys[0]

    def _discovery(self, client: httpx.Client) -> Discovery:
        with self._lock:
            if self._discovered is None or self._now() - self._discovered[1] >= KNOWN:
                address = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
                told = _asked(client, client.build_request("GET", address))
                try:
                    found = Discovery.model_validate(told)
                except ValidationError as error:
                    raise refused(f"it does not say where to log in: {error.error_count()} problems") from error
                if found.issuer != self.settings.issuer or "S256" not in found.code_challenge_methods_supported:
                    raise refused(f"it says that it is {found.issuer}, or knows no PKCE by S256")
                self._discovered = found, self._now()
            return self._discovered[0]

    @contextmanager
    def _asking(self) -> Iterator[httpx.Client]:
        if not self._room.acquire(blocking=False):
            raise BUSY.with_traceback(None)
        try:
            with httpx.Client(timeout=SECONDS, follow_redirects=False) as client:
                yield client
        finally:
            self._room.release()


def secret_of(settings: OpenID) -> str | None:
    """The client's secret; None of a public client."""
    if settings.secret is None:
        return None
    if not (found := os.environ.get(settings.secret)):
        raise PropensityError(
            f"login.openid.secret names the environment variable {settings.secret}, and it is not set",
            "Set it to the client's secret, as the provider shows it.",
        )
    return found


def refused(why: str) -> PropensityError:
    """What is wrong is for the log; whoever logs in can only try again."""
    LOG.warning("a login by OpenID Connect was refused: %s", why)
    return REFUSED.with_traceback(None)


def _made(browser: str, use: str, state: str) -> str:
    """What only this browser's cookie could have made, for this login: so it need not be kept."""
    return hmac.new(browser.encode(), f"{use} {state}".encode(), hashlib.sha256).hexdigest()


def _asked(client: httpx.Client, request: httpx.Request, auth: httpx.Auth | None = None) -> dict[str, Any]:
    """A document of the provider: 200, JSON, an object, of a size that is allowed."""
    try:
        answer = client.send(request, auth=auth, stream=True)
        try:
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    raise refused("the provider sent too much")
        finally:
            answer.close()
    except httpx.HTTPError as error:
        LOG.warning("the OpenID provider cannot be reached: %s", type(error).__name__)
        raise AWAY.with_traceback(None) from error
    if answer.status_code >= 500:
        LOG.warning("the OpenID provider answers %s", answer.status_code)
        raise AWAY.with_traceback(None)
    try:
        told = json.loads(body) if answer.status_code == 200 else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise refused(f"the provider answered {answer.status_code}, and no document")
    return told
