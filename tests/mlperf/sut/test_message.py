"""What parent and children tell each other crosses a process boundary as plain values."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from assay.ground import errors
from assay.mlperf.run.loadgen_job import Count, LoadGenJob
from assay.mlperf.sut.message import Build, Failure, Line

LOG = Path("/run/logs/sut.log")


@pytest.mark.parametrize(
    "kind", ["ConfigError", "EnvironmentProblem", "ArtifactError", "RunFailed", "Interrupted"]
)
def test_an_expected_failure_is_the_same_kind_on_the_other_side(kind: str) -> None:
    raised = getattr(errors, kind)("no checkpoint", "name one")
    told = Failure.of(raised, "the SUT could not be loaded")
    again = pickle.loads(pickle.dumps(told)).to_error(LOG)
    assert type(again) is type(raised)
    assert (again.message, again.hint) == ("no checkpoint (log: /run/logs/sut.log)", "name one")


def test_any_other_failure_says_what_failed_and_where() -> None:
    try:
        int("x")
    except ValueError as error:
        told = Failure.of(error, "the echo SUT failed")
    assert told.kind == "RunFailed"
    assert told.message.startswith("the echo SUT failed: ValueError: invalid literal for int()")
    assert "(test_message.py, line " in told.message
    assert isinstance(told.to_error(LOG), errors.RunFailed)


def test_a_failure_that_was_never_raised_has_no_place() -> None:
    assert Failure.of(KeyError("k"), "x").message == "x: KeyError: 'k'"


@pytest.mark.parametrize("kind", ["NoSuchError", "", "__doc__x"])
def test_an_unknown_kind_is_a_failed_run(kind: str) -> None:
    assert isinstance(Failure(kind, "m", "h").to_error(LOG), errors.RunFailed)


@pytest.mark.parametrize(
    "message",
    [
        Line("loading"),
        Count(3, 2),
        LoadGenJob(Path("w"), "/s", "m", "Offline", True, 5, Path("u"), None, None, Path("o")),
    ],
)
def test_a_message_is_equal_on_the_other_side(message: object) -> None:
    assert pickle.loads(pickle.dumps(message)) == message
    assert Build.__dataclass_fields__.keys() == {"module", "spec", "samples"}
