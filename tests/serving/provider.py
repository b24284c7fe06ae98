"""A small OpenID provider that really speaks HTTP and signs: it can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.registry import HeaderParameter

CLIENT, SECRET = "propensity", "s e/c:ret"


class Provider:
    """``said`` overrides what it says of itself; ``claims`` what it says of people; ``lie`` makes the ID token."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.keys = [RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"}, private=True)]
        self.claims: dict[str, Any] = {"sub": "7", "email": "ann@acme.example", "roles": ["cs"], "email_verified": True}
        self.said: dict[str, Any] = {}
        self.answer: tuple[int, bytes] | None = None
        self.lie: Callable[[dict[str, Any]], str] | None = None
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.issuer = ""

    def rotate(self) -> None:
        self.keys = [ECKey.generate_key("P-256", {"kid": f"k{secrets.token_hex(4)}", "use": "sig"}, private=True)]

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "code_challenge_methods_supported": ["plain", "S256"],
        } | self.said

    def authorize(self, query: dict[str, str]) -> str:
        """Whoever comes is logged in at once. Returns where they are sent."""
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["client_id"] == CLIENT
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe()
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """None where code, client, address or verifier are not right; a code serves once."""
        asked = self.codes.pop(form.get("code", ""), None)
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode() if authorization else ""
        basic = tuple(map(unquote, given.split(":", 1))) if given else ()
        known = (CLIENT, SECRET) in {basic, (form.get("client_id"), form.get("client_secret"))}
        if asked is None or not known or form.get("redirect_uri") != asked["redirect_uri"]:
            return None
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        if proof != asked["code_challenge"]:
            return None
        claims = self.told(asked["nonce"])
        return {"access_token": "a", "token_type": "Bearer", "id_token": (self.lie or self.signed)(claims)}

    def told(self, nonce: str) -> dict[str, Any]:
        at = int(self.now().timestamp())
        return {"iss": self.issuer, "aud": CLIENT, "exp": at + 300, "iat": at, "nonce": nonce} | self.claims

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        key = self.keys[0]
        alg = "RS256" if isinstance(key, RSAKey) else "ES256"
        return jwt.encode({"alg": alg, "kid": key.kid} | header, claims, key, algorithms=[alg])

    def unsigned(self, claims: dict[str, Any]) -> str:
        parts = ({"alg": "none", "kid": self.keys[0].kid}, claims)
        return (
            ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."
        )

    def signed_with_the_public_key(self, claims: dict[str, Any]) -> str:
        """HS256, with as secret what everybody knows."""
        public = self.keys[0].as_pem(private=False)
        head = {"alg": "HS256", "kid": self.keys[0].kid}
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, claims)]
        mac = hmac.new(public, ".".join(parts).encode(), hashlib.sha256).digest()
        return ".".join([*parts, base64.urlsafe_b64encode(mac).decode().rstrip("=")])

    def signed_by_another(self, claims: dict[str, Any]) -> str:
        other = RSAKey.generate_key(2048, {"kid": self.keys[0].kid}, private=True)
        return jwt.encode({"alg": "RS256", "kid": other.kid}, claims, other, algorithms=["RS256"])

    def signed_with_its_own_key_inside(self, claims: dict[str, Any]) -> str:
        other = ECKey.generate_key("P-256", {"kid": "mine"}, private=True)
        head = {"alg": "ES256", "kid": "mine", "jwk": other.as_dict(private=False)}
        return jwt.encode(head, claims, other, algorithms=["ES256"])

    def signed_with_a_demand_that_nobody_knows(self, claims: dict[str, Any]) -> str:
        alg = "RS256" if isinstance(self.keys[0], RSAKey) else "ES256"
        head = {"alg": alg, "kid": self.keys[0].kid, "crit": ["odd"], "odd": 1}
        return jwt.encode(head, claims, self.keys[0], registry=ODD)

    def changed(self, claims: dict[str, Any]) -> str:
        head, _, signature = self.signed(claims).split(".")
        other = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "1"}).encode()).decode().rstrip("=")
        return f"{head}.{other}.{signature}"


ODD = jws.JWSRegistry({"odd": HeaderParameter("odd", "int")}, algorithms=["RS256", "ES256"])


@contextmanager
def running(now: Callable[[], datetime]) -> Iterator[Provider]:
    provider = Provider(now)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if parts.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif parts.path == "/keys":
                self._say(200, KeySet(provider.keys).as_dict(private=False))
            else:
                self._say(200, provider.discovery())

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            told = provider.token(form, self.headers.get("Authorization", ""))
            self._say(400 if told is None else 200, told or {"error": "invalid_grant"})

        def _say(self, status: int, told: Any) -> None:
            status, body = provider.answer or (status, json.dumps(told).encode())
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Its requests are in ``asked``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
