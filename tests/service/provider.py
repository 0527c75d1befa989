"""A small OpenID provider: the authorization code flow with PKCE, id_tokens signed, a page.

It is strict: any deviation of the client ends with status 400 and stands in `complaints`. People
say their name, and that is who they are. In: the client's id, secret and address to come back to.
"""

import hashlib
import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

PAGE = """<!doctype html><title>Provider</title><form method="post" action="/authorize?{query}">
<input id="name" name="name"><button>Sign in at the institution</button></form>"""


@dataclass(frozen=True)
class Client:
    """Who may send people here."""

    id: str
    secret: str
    back: str  # the address that people are sent back to


class Provider(ThreadingHTTPServer):
    """The server. Use it as a context."""

    daemon_threads = True
    client: Client

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.key = RSAKey.generate_key(2048, {"kid": "test", "use": "sig"})
        self.codes: dict[str, dict[str, str]] = {}
        self.complaints: list[str] = []
        self.given = 0  # id_tokens

    def __enter__(self) -> "Provider":
        Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def metadata(self) -> dict[str, Any]:
        """Return what OpenID Connect Discovery 1.0 calls provider metadata."""
        return {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "code_challenge_methods_supported": ["S256"]}

    def code(self, asked: dict[str, str], name: str) -> str:
        """Return a code for somebody who has just signed in here."""
        word = secrets.token_urlsafe(16)
        self.codes[word] = {**asked, "name": name}
        return word

    def tokens(self, fields: dict[str, str], authorization: str) -> dict[str, Any]:
        """Return the tokens for a code, once; fail for anything not as it was asked for."""
        kind, _, word = authorization.partition(" ")
        who = ":".join(map(unquote, b64decode(word).decode().split(":")))
        assert (kind, who) == ("Basic", f"{self.client.id}:{self.client.secret}")
        asked = self.codes.pop(fields["code"])
        assert fields["grant_type"] == "authorization_code"
        assert fields["redirect_uri"] == self.client.back
        digest = hashlib.sha256(fields["code_verifier"].encode()).digest()
        assert asked["code_challenge"] == urlsafe_b64encode(digest).decode().rstrip("=")
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.client.id, "sub": f"subject of {asked['name']}",
                  "iat": now, "exp": now + 300, "nonce": asked["nonce"],
                  "preferred_username": asked["name"]}
        self.given += 1
        return {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer",
                "expires_in": 300,
                "id_token": jwt.encode({"alg": "RS256", "kid": "test"}, claims, self.key)}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Provider

    def do_GET(self) -> None:
        """Answer metadata, keys and the page to sign in."""
        where = urlsplit(self.path)
        match where.path:
            case "/.well-known/openid-configuration":
                self.say(self.server.metadata())
            case "/jwks":
                self.say({"keys": [self.server.key.as_dict(private=False)]})
            case "/authorize":
                if self.check(where.query):
                    self.send(200, "text/html", PAGE.format(query=escape(where.query)))
            case _:
                self.send(404, "text/plain", "nothing")

    def do_POST(self) -> None:
        """Answer who has signed in, and a client that has a code."""
        where = urlsplit(self.path)
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = dict(parse_qsl(text, keep_blank_values=True))
        if where.path == "/token":
            try:
                self.say(self.server.tokens(fields, self.headers.get("Authorization", "")))
            except (AssertionError, KeyError, ValueError) as problem:
                self.complain(repr(problem))
        elif asked := self.check(where.query):
            code = self.server.code(asked, fields["name"])
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?" + urlencode(
                {"code": code, "state": asked["state"]}))
            self.end_headers()

    def check(self, query: str) -> dict[str, str] | None:
        """Return what a client asks for; None, with an answer, when that is not right."""
        asked = dict(parse_qsl(query, keep_blank_values=True))
        client = self.server.client
        right = {"response_type": "code", "client_id": client.id, "redirect_uri": client.back,
                 "code_challenge_method": "S256"}
        if {name: asked.get(name) for name in right} == right and all(
                asked.get(name) for name in ("state", "nonce", "code_challenge")) and (
                "openid" in asked.get("scope", "").split()):
            return asked
        return self.complain(query)

    def complain(self, about: str) -> None:
        """Refuse what a client should not have sent."""
        self.server.complaints.append(about)
        self.send(400, "text/plain", about)

    def say(self, facts: dict[str, Any]) -> None:
        """Answer JSON."""
        self.send(200, "application/json", json.dumps(facts))

    def send(self, status: int, kind: str, text: str) -> None:
        """Answer."""
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing for every request."""
