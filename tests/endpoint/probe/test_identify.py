from __future__ import annotations

from typing import Any

import pytest

from assay.endpoint.probe import identify
from assay.endpoint.single import ProbedServer, probed_server
from assay.ground.errors import ConfigError

MODELS = {"data": [{"id": "m", "owned_by": "sglang", "max_model_len": 9}]}
TOLD = {"version": "0.6", "model_path": "/m"}


@pytest.mark.parametrize(
    "pages",
    [
        {"/v1/models": MODELS, "/server_info": TOLD},
        {"/v1/models": MODELS, "/get_model_info": {"model_path": "/m"}, "/get_server_info": TOLD},
    ],
)
def test_sglang_is_known_by_the_addresses_of_old_and_new_versions(
    pages: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identify, "_look", lambda server, path: pages.get(path, {}))
    found = identify.identify(probed_server("http://h:1"))
    assert (found.kind, found.version, found.models, found.context) == ("sglang", "0.6", ("m",), 9)


def test_sglang_whose_settings_are_an_administrators_is_known_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look(server: ProbedServer, path: str) -> dict[str, Any]:
        if path in ("/server_info", "/get_server_info"):
            raise ConfigError("h wants a key (HTTP 401)", "")
        return MODELS if path == "/v1/models" else {}

    monkeypatch.setattr(identify, "_look", look)
    found = identify.identify(probed_server("http://h:1"))
    assert (found.kind, found.version, found.models) == ("sglang", None, ("m",))
