"""`import assay`: costs nothing, reads settings as the command line does, and gives frozen records."""

from __future__ import annotations

import dataclasses
import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import assay
import assay.bench.pipeline
from assay.bench import BenchPackage, library
from assay.bench.running import Reporter
from assay.config import Delivery, EarlierRun, Mode, Request, Scenario
from assay.doors import config_options
from assay.mlperf.data import dataset
from assay.mlperf.data.dataset_file import write_columns
from assay.mlperf.sut.progress import Progress
from tests.cli.test_score_verb import ROWS, tokenizer_folder
from tests.mlperf.scoring.conftest import words, write_log

__all__ = ["tokenizer_folder", "words"]  # the fixtures

AROUND = {"workload", "sut_options", "config", "submit", "compliance", "reuse", "rerun", "fetch", "say"}


def run_python(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_importing_the_package_imports_nothing_else() -> None:
    program = (
        "import assay, sys; print(sorted(n for n in sys.modules if n.startswith('assay')), assay.__all__)"
    )
    assert run_python(program) == f"['assay'] {assay.__all__}"


def test_check_and_score_need_nothing_that_an_extra_installs() -> None:
    program = """if True:
        import sys
        for name in ("pyarrow", "torch", "transformers"):
            sys.modules[name] = None
        import assay
        for call in (lambda: assay.check("/nowhere"), lambda: assay.score("/no", "/no", "/no")):
            try:
                call()
            except assay.AssayError as error:
                print(error.message)
    """
    assert run_python(program).splitlines() == [
        "no folder and no packed tree /nowhere",
        "/no: no tokenizer.model and no tokenizer.json",
    ]


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(assay, name) is not None for name in assay.__all__)
    assert {"bench", "check", "score", "read"} <= set(dir(assay))
    assert isinstance(assay.bench, BenchPackage) and assay.bench.pipeline.run  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="'benhc'"):
        _ = assay.benhc  # type: ignore[attr-defined]


def test_the_arguments_are_the_settings_of_the_command_line() -> None:
    arguments = set(inspect.signature(library.bench).parameters)
    flags = {field.flag[2:].replace("-", "_") for field in config_options.FIELDS}
    assert arguments - AROUND == flags


def test_help_and_signature_of_the_package_are_the_functions() -> None:
    assert inspect.signature(assay.bench) == inspect.signature(library.bench)
    text = pydoc.render_doc(assay.bench, renderer=pydoc.plaintext)
    assert "Run one benchmark, as `assay bench` does" in text and "target_qps: " in text


def test_messages_of_the_sut_as_it_loads_reach_say_and_counts_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reporters: list[Reporter] = []
    monkeypatch.setattr(assay.bench.pipeline, "run", lambda *given: reporters.append(given[2]))
    said: list[str] = []
    assay.bench(sut="echo", say=said.append)
    reporters[0].progress(Progress("loading", message="8.0 GB of weights"))
    reporters[0].progress(Progress("Offline", 3, 10))
    reporters[0].say("a note")
    assert said == ["loading: 8.0 GB of weights", "a note"]


def asked(monkeypatch: pytest.MonkeyPatch, *args: str, **named: object) -> Request:
    """The request that a call of `assay.bench` makes."""
    seen: list[Request] = []
    monkeypatch.setattr(assay.bench.pipeline, "run", lambda request, *rest: seen.append(request))
    assay.bench(*args, **named)  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize(
    ("named", "said", "hint"),
    [
        ({"reuse": True}, "no run folder is named", "out=DIR"),
        ({"rerun": True}, "no run folder is named", "out=DIR"),
        ({"reuse": True, "rerun": True, "out": "o"}, "reuse=True takes an earlier run and rerun=True", "one"),
    ],
)
def test_what_is_done_with_an_earlier_run_has_to_be_clear(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, object], said: str, hint: str
) -> None:
    with pytest.raises(assay.AssayError, match=said) as caught:
        asked(monkeypatch, **named)
    assert caught.value.hint.startswith(hint)


def test_a_call_replaces_or_takes_the_run_of_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for named, wanted in (("reuse", EarlierRun.REUSE), ("rerun", EarlierRun.REPLACE)):
        assert asked(monkeypatch, out="o", **{named: True}).delivery.earlier_run is wanted


def test_a_call_asks_for_what_a_command_line_asks_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    request = asked(
        monkeypatch,
        "mixtral-8x7b",
        scenario=("server", "offline"),
        mode="accuracy",
        dataset=tmp_path / "set.jsonl",
        samples=12,
        target_qps=2.5,
        min_duration="10m",
        sut="endpoint",
        sut_options={"url": ["http://a:1", "http://b:1"], "timeout": 9},
    )
    flags = {
        "scenarios": "offline,server",
        "modes": "accuracy",
        "paths.dataset": str(tmp_path / "set.jsonl"),
        "limits.samples": "12",
        "limits.target_qps": "2.5",
        "limits.min_duration_s": "600",
        "sut": "endpoint",
        "sut_options.url": "http://a:1\nhttp://b:1",
        "sut_options.timeout": "9",
    }
    assert request == Request(config_options.build("mixtral-8x7b", flags, {}), Delivery())
    assert request.config.origin["limits.samples"] == "argument samples"
    assert request.config.origin["round"] == "default of mixtral-8x7b"


def test_arguments_go_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("workload: mixtral-nano\nsut: echo\nlimits: {samples: 5, batch: 2}\n")
    config = asked(monkeypatch, config=path, samples=7).config
    assert (config.workload, config.sut, config.limits.samples, config.limits.batch) == (
        "mixtral-nano",
        "echo",
        7,
        2,
    )


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"scenario": "ofline"}, "'ofline' is not a scenario (from argument scenario)"),
        ({"sut_options": {"oder": "x"}}, "oder"),
        ({"sut": "echo", "submit": True}, "the echo SUT is a fake: its run cannot be submitted"),
    ],
)
def test_what_cannot_be_run_is_refused_in_words(named: dict[str, object], words: str) -> None:
    with pytest.raises(assay.AssayError) as raised:
        assay.bench(**named)  # type: ignore[arg-type]
    assert words in raised.value.message and raised.value.hint


def test_nothing_is_fetched_unless_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(assay.AssayError, match="to be fetched first: the dataset") as raised:
        assay.bench("mixtral-8x7b", sut="echo", mode="performance", tokenizer=tmp_path)
    assert "fetch=True" in raised.value.hint


@pytest.mark.usefixtures("loadgen")
def test_a_run_gives_its_record_its_folder_and_its_outcome(tmp_path: Path) -> None:
    said: list[str] = []
    run = assay.bench("mixtral-nano", sut="echo", samples=30, out=tmp_path / "run", say=said.append)
    assert run.outcome.is_good and run.folder == tmp_path / "run" and run.submitted is None
    performance = run.result.find(Scenario.OFFLINE, Mode.PERFORMANCE)
    assert performance is not None and performance.figure("tokens_per_s") is not None
    assert assay.read(run.folder) == run.result
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.folder = tmp_path  # type: ignore[misc]


def test_a_log_is_scored(tmp_path: Path, tokenizer_folder: Path) -> None:
    write_columns(tmp_path / "set.jsonl", dataset.columns_of(ROWS))
    log = write_log(
        tmp_path / "mlperf_log_accuracy.json", [(n, row["tok_ref_output"]) for n, row in enumerate(ROWS)]
    )  # type: ignore[misc]
    made = assay.score(log, tmp_path / "set.jsonl", tokenizer_folder)
    assert (made.value("rouge1"), made.value("gsm8k"), made.official["gen_num"]) == (100.0, 100.0, 2)
    with pytest.raises(KeyError):
        made.value("rogue1")
    with pytest.raises(assay.AssayError, match="workers 0"):
        assay.score(log, tmp_path / "set.jsonl", tokenizer_folder, workers=0)


def test_a_tree_is_judged(tmp_path: Path) -> None:
    (tmp_path / "open" / "me").mkdir(parents=True)
    report = assay.check(tmp_path, round="v6.0")
    assert report.round == "v6.0" and not report.is_submission
