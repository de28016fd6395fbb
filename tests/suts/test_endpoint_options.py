from __future__ import annotations

import resource

import pytest

from assay.endpoint.address import parse
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.suts import endpoint_options
from assay.suts.endpoint import KIND
from tests.endpoint.tiny_server import TinyServer


def test_limits_are_taken_as_asked_and_files_are_allowed_for_every_stream() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        limits = endpoint_options.limits_of(KIND.values({"max_in_flight": 900, "stall_timeout": 3.0}))
        assert (limits.in_flight, limits.silence_s, limits.retries) == (900, 3.0, 0)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 900 + endpoint_options.SPARE_FILES
        resource.setrlimit(resource.RLIMIT_NOFILE, (600, before[1]))
        endpoint_options.allow_files(500)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 500 + endpoint_options.SPARE_FILES
        if before[1] != resource.RLIM_INFINITY:
            with pytest.raises(EnvironmentProblem, match="open files"):
                endpoint_options.allow_files(before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_model_is_the_first_that_a_server_lists_or_the_one_that_is_asked_for() -> None:
    with TinyServer(lambda _: [1, 2]) as server:
        where = [parse(server.url)]
        assert endpoint_options.model_of(where, None, None) == "tiny"
        assert endpoint_options.model_of(where, "tiny", None) == "tiny"
        with pytest.raises(ConfigError) as error:
            endpoint_options.model_of(where, "other", None)
    assert error.value.hint == "--model tiny"


def test_few_streams_have_one_client_and_many_have_the_cores_but_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_options.cores, "usable", lambda: 9)
    auto = {"clients": "auto"}
    assert [endpoint_options.clients_of(auto, streams) for streams in (1, 63, 64, 256, 4096)] == [
        1,
        1,
        2,
        8,
        8,
    ]
    monkeypatch.setattr(endpoint_options.cores, "usable", lambda: 1)
    assert endpoint_options.clients_of(auto, 4096) == 1
    assert endpoint_options.clients_of({"clients": "3"}, 256) == 3
    for wrong in ("0", "-1", "two", "²", "257"):
        with pytest.raises(ConfigError, match="--clients"):
            endpoint_options.clients_of({"clients": wrong}, 256)
