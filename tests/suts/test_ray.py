"""The ray SUT at the doors: it has the facts and the options of the SUT that it hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay import suts
from assay.config import Device, Precision
from assay.doors import cm, config_options, config_text
from assay.ground.errors import ConfigError
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.workloads.workload import Generation
from assay.suts.ray import KIND, hosted


def flags(**texts: str) -> dict[str, str]:
    return {"sut": "ray", **{f"sut_options.{name}": text for name, text in texts.items()}}


def test_it_is_what_it_hosts() -> None:
    assert (
        suts.asked("ray", {"of": "echo"}).is_fake and not suts.asked("ray", {"of": "echo"}).needs_checkpoint
    )
    engine = suts.asked("ray", {})
    assert engine.needs_checkpoint and engine.devices == (Device.CPU,) and engine.name == "ray"
    assert {"threads", "replicas"} <= {option.name for option in engine.options}


def test_options_of_both_are_read_and_written_again() -> None:
    config = config_options.build("mixtral-nano", flags(of="engine", replicas="2", threads="1"), {})
    assert config.sut_options["threads"] == 1 and config.sut_options["replicas"] == "2"
    line = config_text.command(config)
    assert "--of" not in line and line[line.index("--replicas") + 1] == "2"
    selection, env = cm.to_cm(config)
    assert env["CM_ASSAY_SUT_OPTIONS_THREADS"] == "1"
    assert cm.from_cm(selection, env).sut_options == config.sut_options


def test_options_from_a_file_name_the_hosted_sut_too() -> None:
    config = config_options.build(
        None, {}, {"workload": "mixtral-nano", "sut": "ray", "sut_options.of": "echo"}
    )
    assert config.sut_options["answers"] == "reference"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (flags(of="engin"), "unknown SUT 'engin' .from flag --of"),
        (flags(of="ray"), "cannot host ray"),
        (flags(replicas="0"), "'0' is not a value of --replicas"),
        (flags(replicas="many"), "from 1 to 9999, or auto"),
        (flags(ray_address="head"), "HOST:PORT"),
        (flags(of="echo", threads="2"), "--threads belongs to the engine SUT, not to ray"),
        (flags(cpus_per_replica="-1"), "--cpus-per-replica"),
    ],
)
def test_what_cannot_be_is_refused_at_the_door(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        config_options.build("mixtral-nano", given, {})


def test_a_replica_is_built_as_the_hosted_sut_alone_would_be() -> None:
    options = {**suts.asked("ray", {"of": "echo"}).values({"of": "echo", "pace": 5.0})}
    spec = SutSpec("ray", Path("m"), Device.CPU, Precision.FLOAT32, 4, Generation(1, 2, 2), True, options)
    inner, own = hosted(spec)
    assert (inner.kind, inner.options) == ("echo", {"answers": "reference", "pace": 5.0})
    assert inner.checkpoint == spec.checkpoint and inner.batch == 4 and inner.server
    assert KIND.values(own)["replicas"] == "auto"
