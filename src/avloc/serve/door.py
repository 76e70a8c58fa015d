"""Door: what every request passes before anything else looks at it.

A server on loopback answers to the names of this machine alone, so that a page of another site whose name leads here
(DNS rebinding) gets nothing; and no other site's page may change anything (cross-site requests). With a token each
request must bear it, as `Authorization: Bearer TOKEN` or as the password of any user, which browsers ask for.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import h11
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avloc.serve.refused import RefusedError

NO_CHANGE = ("GET", "HEAD", "OPTIONS")
MOST_HEADER = 32_000
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Whether an address or a name is that of this machine to itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold().rstrip(".") == "localhost"


@dataclass
class Door:
    """Middleware before `app`. answered counts by status."""

    app: ASGIApp
    token: str | None
    answered: Counter[int] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.answered[message["status"]] += 1
                headers = MutableHeaders(scope=message)
                for name, value in _SAFE.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope["method"], Headers(scope=scope))
        except RefusedError as refused:
            headers = {"WWW-Authenticate": 'Basic realm="avloc", charset="UTF-8"'} if refused.status == 401 else {}
            app: ASGIApp = JSONResponse({"error": str(refused)}, refused.status, headers)
        else:
            app = self.app
        try:
            await app(scope, receive, answer)
        except h11.LocalProtocolError:  # what was sent is no HTTP: that was told already, and nobody listens
            while (await receive())["type"] != "http.disconnect":
                pass

    def _check(self, method: str, headers: Headers) -> None:
        if sum(len(name) + len(value) for name, value in headers.raw) > MOST_HEADER:
            raise RefusedError(431, f"the headers have more than {MOST_HEADER} bytes; send fewer")
        host = headers.get("host", "")
        if self.token is None and not is_loopback(name_of(host)):
            raise RefusedError(
                403, "this server answers to localhost, 127.0.0.1 and [::1] alone; call it by one of these"
            )
        if self.token is not None and not self._bears(headers.getlist("authorization")):
            raise RefusedError(401, "this server asks for its token; send Authorization: Bearer TOKEN")
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site", "none")
        if method not in NO_CHANGE and (
            site == "cross-site" or (origin is not None and urlsplit_host(origin) != host.casefold())
        ):
            raise RefusedError(403, "the page of another site may not change anything here")

    def _bears(self, given: list[str]) -> bool:
        """Compared in a time that does not tell how much is right."""
        assert self.token is not None
        token = self.token.encode()
        return len(given) == 1 and hmac.compare_digest(_secret(given[0]), token)


def _secret(authorization: str) -> bytes:
    scheme, _, value = authorization.partition(" ")
    if scheme.casefold() == "bearer":
        return value.strip().encode("utf-8", "surrogateescape")
    if scheme.casefold() == "basic":
        try:
            return base64.b64decode(value.strip().encode(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""


def name_of(host: str) -> str:
    """The name in a Host header, without its port; "" for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def urlsplit_host(origin: str) -> str:
    """Name and port of an origin, as a Host header has them; "" for what is none."""
    try:
        return urlsplit(origin).netloc.casefold()
    except ValueError:
        return ""
