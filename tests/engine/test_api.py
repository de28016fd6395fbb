"""Requests that are refused, given up or broken leave nothing behind, and do not touch the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from assay.config import Precision
from assay.engine import api
from assay.engine.api import Engine
from assay.engine.config import EngineConfig
from assay.engine.sequence import EngineRequest
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem

Requests = Callable[..., list[EngineRequest]]
Answers = dict[int, tuple[int, ...]]


@pytest.fixture
def engine(small_checkpoint: Path) -> Engine:
    return Engine(EngineConfig(small_checkpoint, Precision.FLOAT32, max_running=2, token_budget=64))


def answers(engine: Engine, requests: list[EngineRequest]) -> Answers:
    return {a.id: a.tokens for a in engine.generate(requests)}


@pytest.mark.parametrize("wrong", [EngineRequest(9, (96,)), EngineRequest(0, (5,)), EngineRequest(9, (5.0,))])  # type: ignore[arg-type]
def test_a_refused_request_leaves_none_of_its_batch_behind(
    engine: Engine, requests: Requests, wrong: EngineRequest
) -> None:
    expected = answers(engine, requests(4))
    with pytest.raises(ConfigError, match=f"request {wrong.id}"):
        list(engine.generate([*requests(4), wrong]))
    assert not engine.has_work
    assert answers(engine, requests(4)) == expected


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_requests_that_raise_midway_leave_none_behind(
    engine: Engine, requests: Requests, error: type[BaseException]
) -> None:
    def breaking() -> Iterator[EngineRequest]:
        yield from requests(3)
        raise error

    with pytest.raises(error):
        list(engine.generate(breaking()))
    assert not engine.has_work
    assert len(answers(engine, requests(3))) == 3


def test_answers_that_nobody_waits_for_are_not_given_to_the_next_caller(
    engine: Engine, requests: Requests
) -> None:
    expected = answers(engine, requests(6))
    for _ in engine.generate(requests(6)):
        break
    assert not engine.has_work
    assert answers(engine, requests(6)) == expected


def test_a_request_is_cancelled_while_it_runs_or_waits_and_the_others_have_their_answers(
    engine: Engine, requests: Requests
) -> None:
    expected = answers(engine, requests(6))
    for request in requests(6):
        engine.add(request)
    engine.step()
    engine.cancel([1, 4, 77])
    got = {a.id: a.tokens for a in engine.generate([])}
    assert got == {i: tokens for i, tokens in expected.items() if i not in (1, 4)}
    assert answers(engine, requests(2)) == {i: expected[i] for i in (0, 1)}


@pytest.mark.parametrize("kernels", ["torch", "auto"])
def test_scores_that_are_nan_are_no_answer_and_the_others_go_on(
    tmp_path: Path, make_checkpoint: Callable[..., Path], requests: Requests, kernels: str
) -> None:
    """A channel that only one token has overflows in the first norm: requests that hold it are lost, no others."""
    file = make_checkpoint(tmp_path) / "model.safetensors"
    weights = load_file(file)
    channel_V = weights["model.embed_tokens.weight"][:, 0]
    channel_V.zero_()
    channel_V[40] = 9
    weights["model.layers.0.input_layernorm.weight"][0] = 3e38
    save_file(weights, file, {"format": "pt"})
    engine = Engine(EngineConfig(tmp_path, Precision.BFLOAT16, 4, 64, kernels=kernels))
    good, bad = EngineRequest(1, (5, 6, 7), 4), EngineRequest(2, (5, 40, 7), 4)
    expected = answers(engine, [good])
    engine.add(good)
    engine.add(bad)
    with pytest.raises(ArtifactError, match="request 2: the scores of its next token are NaN"):
        engine.step()
    engine.cancel([2])
    assert answers(engine, []) == expected


def test_a_fork_of_a_process_with_an_engine_is_refused_before_it_waits_for_threads(
    engine: Engine, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = answers(engine, requests(2))
    with monkeypatch.context() as child:
        child.setattr(api, "_PROCESSES", {*api._PROCESSES, -1})
        with pytest.raises(EnvironmentProblem, match="forked"):
            answers(engine, requests(1))
        with pytest.raises(EnvironmentProblem, match="forked"):
            Engine(engine.config)
        engine.cancel([0])
    assert answers(engine, requests(2)) == expected


def test_an_engine_that_was_never_made_does_not_bar_forks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes: set[int] = set()
    monkeypatch.setattr(api, "_PROCESSES", processes)
    with pytest.raises(ArtifactError, match="is missing"):
        Engine(EngineConfig(tmp_path))
    assert not processes


def test_a_process_above_its_bound_has_no_memory_left() -> None:
    assert api.usable_bytes(1) == 0
