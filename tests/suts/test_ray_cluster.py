from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from assay.ground.errors import ConfigError, EnvironmentProblem, RunFailed
from assay.suts import ray_cluster, ray_environment
from assay.suts.ray_cluster import Cluster, Node


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def test_a_cluster_that_is_not_there_is_told_at_once(
    closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setattr(ray_environment, "set_for", lambda is_own_cluster: None)
    with pytest.raises(EnvironmentProblem, match=f"no Ray cluster answers at 127.0.0.1:{closed_port}"):
        Cluster(f"127.0.0.1:{closed_port}")
    with pytest.raises(ConfigError, match="no address"):
        Cluster("head:99999")
    with pytest.raises(ConfigError, match="no address"):
        Cluster("head:6²")


def test_a_head_that_does_not_answer_several_times_is_lost(
    closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster, "REACH_S", 0.01)
    cluster = object.__new__(Cluster)
    cluster.head, cluster._is_closed = f"127.0.0.1:{closed_port}", threading.Event()
    told: list[RunFailed] = []
    cluster._watch(told.append)
    assert f"127.0.0.1:{closed_port}, is lost" in str(told[0])
    cluster._is_closed.set()  # nobody looks for the head of a cluster that was closed
    cluster._watch(told.append)
    assert len(told) == 1


def test_sockets_of_ray_have_short_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/tmp")
    assert ray_cluster._place() is None
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/a/long/place/for/temporary/files")
    assert ray_cluster._place() == Path("/tmp")


def test_what_ray_says_first_is_told() -> None:
    assert ray_cluster._first_line(RuntimeError("\n  no room \nmore")) == "no room"
    assert ray_cluster._first_line(RuntimeError()) == "RuntimeError"


def test_nodes_of_one_machine_have_names_of_their_own() -> None:
    nodes = [
        Node("aaaaaaaa", "m", "10.0.0.1", 1, 0),
        Node("bbbbbbbb", "m", "10.0.0.1", 1, 0),
        Node("c", "n", "", 1, 0),
    ]
    assert [node.name for node in ray_cluster._told_apart(nodes)] == ["m (aaaaaa)", "m (bbbbbb)", "n"]
