from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assay.endpoint.address import Address
from assay.ground.errors import EnvironmentProblem
from assay.suts.endpoint_http import models

SAYS: dict[str, tuple[int, bytes]] = {}
"""Path -> status and body."""


class Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        status, body = SAYS.get(self.path, (200, b'{"data": [{"id": "m"}]}'))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def address() -> Iterator[Address]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Address("http", "127.0.0.1", server.server_address[1])
        server.shutdown()


@pytest.fixture(autouse=True)
def says_nothing_else() -> Iterator[None]:
    yield
    SAYS.clear()


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"", "says 503\n"), (b'{"error": "engine\n dead"}', r'says 503 \(\{"error": "engine dead"\}\)\n')],
)
def test_a_server_that_lists_its_models_and_is_not_well_loads_or_has_died(
    address: Address, body: bytes, said: str
) -> None:
    SAYS["/health"] = (503, body)
    with pytest.raises(EnvironmentProblem, match=said) as found:
        models(address, None)
    assert "its engine has died" in str(found.value.hint)
    for status in (200, 404):
        SAYS["/health"] = (status, b"")
        assert models(address, None) == ["m"]


def test_a_server_that_lists_no_models_yet_is_loading(address: Address) -> None:
    SAYS["/v1/models"] = (503, b"")
    with pytest.raises(EnvironmentProblem, match="is not ready yet"):
        models(address, None)
