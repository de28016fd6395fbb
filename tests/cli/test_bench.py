"""What `assay bench` says of its settings before anything is loaded."""

from __future__ import annotations

from assay.cli import bench
from assay.config import ContainerRequest, Delivery, Request
from assay.doors import config_options


def asked(delivery: Delivery | None = None, **flags: str) -> str:
    texts = {name.replace("__", "."): text for name, text in flags.items()}
    return bench.asked(Request(config_options.build(None, texts, {}), delivery or Delivery()))


def test_a_server_has_no_device_precision_or_batch_that_nobody_asked_for() -> None:
    said = asked(sut="endpoint", sut_options__url="http://a:1\nhttp://b:2")
    assert "http://a:1, http://b:2" in said
    assert not any(word in said for word in ("device", "precision", "limits.batch"))
    assert "limits.batch" in asked(sut="endpoint", sut_options__url="http://a:1", limits__batch="9")
    assert "precision" in asked(sut="echo")
    texts = {"sut": "endpoint", "sut_options.url": "http://a:1", "limits.batch": "9"}
    config = config_options.build(None, {}, texts, file="default.yaml")  # the name of a file is no default
    said = bench.asked(Request(config, Delivery()))
    assert "9  (default.yaml; ignored: the endpoint SUT has no batch)" in said
    assert "has no batch" not in asked(sut="engine", limits__batch="9")


def test_a_container_is_among_the_settings() -> None:
    assert "delivery.container" not in asked(sut="echo")
    box = Delivery(container=ContainerRequest("podman"))
    assert asked(box, sut="echo").splitlines()[-1].split() == [
        "delivery.container",
        "podman",
        "(base",
        "host)",
    ]
