"""The description of a system: what is said overrides what was probed, and nothing is invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.ground.errors import ConfigError
from assay.mlperf.record.result import SystemField
from assay.mlperf.record.run_folder import RunFolder
from assay.mlperf.rounds import round as rounds
from assay.mlperf.submission.source import FinishedRun
from assay.mlperf.submission.system import Description, describe, read_said
from assay.mlperf.sut.interface import Used
from tests import fakes
from tests.mlperf import run_folder

ROUND = rounds.load("v5.1")


def described(
    device: str = "cpu", division: str = "closed", probed: dict[str, str] | None = None, **said: str
) -> Description:
    fields = run_folder.SYSTEM if probed is None else probed
    result = fakes.result(
        used=Used("engine", "engine 1", "bfloat16", device, 1, None),
        system={key: SystemField(value, "probe") for key, value in fields.items()},
    )
    return describe(FinishedRun(RunFolder(Path("/run")), result), ROUND, division, "Me", "box", said)


def test_every_field_of_the_round_is_there_and_no_other() -> None:
    found = described(probed={**run_folder.SYSTEM, "not_a_field": "1"})
    assert set(found.fields) == set(ROUND.fields.system)
    assert found.unknown == ()


def test_a_network_submission_describes_its_network_too() -> None:
    found = described(division="network")
    assert set(found.fields) == {*ROUND.fields.system, *ROUND.fields.network}


def test_division_submitter_and_name_are_those_of_the_submission() -> None:
    fields = described(division="open").fields
    assert (fields["division"], fields["submitter"], fields["system_name"]) == ("open", "Me", "box")
    assert fields["framework"] == "engine 1"


def test_a_run_on_the_cpu_used_no_accelerator_whatever_the_machine_holds() -> None:
    probed = {**run_folder.SYSTEM, "accelerators_per_node": "8", "accelerator_model_name": "H200"}
    assert described(probed=probed).fields["accelerators_per_node"] == "0"
    assert described(probed=probed).fields["accelerator_model_name"] == "N/A"
    assert described("cuda", probed=probed).fields["accelerators_per_node"] == "8"


def test_what_the_submitter_says_goes_before_what_was_probed() -> None:
    fields = described(system_name="The Box", cooling="water", accelerators_per_node="2").fields
    assert (fields["system_name"], fields["cooling"], fields["accelerators_per_node"]) == (
        "The Box",
        "water",
        "2",
    )


def test_what_nobody_knows_is_empty_and_listed() -> None:
    found = described(probed={})
    assert "status" in found.unknown and found.fields["status"] == ""
    assert not set(found.unknown) & set(ROUND.fields.may_be_empty)
    assert "hw_notes" in ROUND.fields.may_be_empty


def test_an_unknown_field_is_refused_with_the_nearest_and_its_file(tmp_path: Path) -> None:
    path = tmp_path / "s3.toml"
    path.write_text('colling = "air"')
    with pytest.raises(ConfigError, match=r"s3\.toml: unknown field 'colling'") as error:
        read_said(path, "box", ROUND)
    assert error.value.hint == "did you mean cooling?"


def test_system_toml_speaks_of_all_systems_and_of_one_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "system.toml"
    path.write_text(
        'status = "available"\nhost_processors_per_node = 2\n[box]\nstatus = "preview"\n[other]\ncooling = "oil"\n'
    )
    assert read_said(path, "box", ROUND) == {"status": "preview", "host_processors_per_node": "2"}
    assert read_said(path, "third", ROUND) == {"status": "available", "host_processors_per_node": "2"}
    assert read_said(None, "box", ROUND) == {}


@pytest.mark.parametrize("content", [b"status = ", b"\xff", None])
def test_a_system_toml_that_cannot_be_read_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "system.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"cannot read .*system\.toml"):
        read_said(path, "box", ROUND)
