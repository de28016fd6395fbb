from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assay.endpoint.address import Address
from assay.ground.errors import EnvironmentProblem
from assay.suts.endpoint_http import models

HEALTH = {"status": 200}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/v1/models" else HEALTH["status"])
        self.end_headers()
        self.wfile.write(b'{"data": [{"id": "m"}]}')


@pytest.fixture
def address() -> Iterator[Address]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Address("http", "127.0.0.1", server.server_address[1])
        server.shutdown()


def test_a_server_that_lists_its_models_while_it_loads_is_not_ready(address: Address) -> None:
    HEALTH["status"] = 503
    with pytest.raises(EnvironmentProblem, match="is not ready yet"):
        models(address, None)
    for status in (200, 404):
        HEALTH["status"] = status
        assert models(address, None) == ["m"]
