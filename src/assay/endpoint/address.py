"""Where a server is: the text of --url as parts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from assay.ground.errors import ConfigError

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """`http://host:8000/prefix`; `prefix` has no slash at its end."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @property
    def text(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"

    def tls(self) -> ssl.SSLContext | None:
        """Uses the system's certificate store to check the server's certificate."""
        return ssl.create_default_context() if self.scheme == "https" else None

    def head(self, path: str, token: str | None) -> bytes:
        """Request line and headers of a POST, up to the value of Content-Length."""
        host = self.text.partition("://")[2].partition("/")[0]
        lines = [
            f"POST {self.prefix}{path} HTTP/1.1",
            f"Host: {host}",
            "Content-Type: application/json",
            "Accept: text/event-stream, application/x-ndjson, application/json",
            "Accept-Encoding: identity",
            *([f"Authorization: Bearer {token}"] if token else []),
            "Content-Length: ",
        ]
        return "\r\n".join(lines).encode("latin-1")


LABEL_MOST = 63
"""Characters between two dots of a host's name. Source: RFC 1035, 2.3.4."""


def parse(url: str) -> Address:
    """`host:8000` means http. A `/v1` at the end is dropped, since every API names its whole path. Raises:
    ConfigError; a URL that contains a password is refused, and the error does not repeat it."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError as error:
        raise ConfigError(f"an address that cannot be read: {error}", "--url http://127.0.0.1:8000") from None
    if parts.username or parts.password:
        raise ConfigError("a URL must hold no user and no password", "--api-key-env NAME")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if "," in parts.netloc:
        raise ConfigError(f"{url[:200]!r} is more than one address", "--url once for each server")
    labels = (parts.hostname or "").split(".")
    is_name = all(0 < len(label) <= LABEL_MOST for label in labels[:-1]) and len(labels[-1]) <= LABEL_MOST
    if (
        parts.scheme not in PORTS
        or not parts.hostname
        or not is_name
        or port == -1
        or parts.query
        or parts.fragment
    ):
        raise ConfigError(
            f"{url.partition('?')[0][:200]!r} is no address of a server", "--url http://127.0.0.1:8000"
        )
    if not url.isascii() or any(c.isspace() for c in url):
        raise ConfigError(f"{url[:200]!r} has characters that no URL has", "--url http://127.0.0.1:8000")
    return Address(
        parts.scheme, parts.hostname, port or PORTS[parts.scheme], parts.path.rstrip("/").removesuffix("/v1")
    )
