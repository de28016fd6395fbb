"""What is fetched for a benchmark, what is here already, and who is asked before."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest

from assay import cli
from assay.bench import cost, fetching, plan
from assay.bench.fetching import Wanted
from assay.cli import consent
from assay.config import BenchmarkConfig, Request
from assay.doors import config_options, config_text
from assay.doors.hub_settings import hub_of
from assay.ground import download, hub_cache, memory, settings
from assay.ground.artifact import origin as artifact_origin
from assay.ground.errors import ArtifactError, ConfigError
from assay.ground.hub import Hub
from assay.mlperf.workloads.mixtral_8x7b import DATASET_FILES, MODEL
from tests.ground import flaky_server as flaky

COMMIT = "ab" * 20
CONFIG = b'{"model_type": "mixtral"}'
WEIGHTS = b"w" * 5000


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path) -> None:
    settings.set_home(tmp_path / "store")


def asked(workload: str = "mixtral-8x7b", **texts: str) -> BenchmarkConfig:
    return config_options.build(workload, {key.replace("__", "."): text for key, text in texts.items()}, {})


def serve(server: flaky.Server) -> Hub:
    """A model of two files at its branch main."""
    blob = hashlib.sha1(b"blob %d\0" % len(CONFIG) + CONFIG).hexdigest()
    lfs = {"oid": hashlib.sha256(WEIGHTS).hexdigest(), "size": len(WEIGHTS)}
    tree = [
        {"type": "file", "path": "config.json", "size": len(CONFIG), "oid": blob},
        {"type": "file", "path": "model.safetensors", "size": len(WEIGHTS), "oid": "0", "lfs": lfs},
    ]
    server.files |= {
        "/api/models/some/model/revision/main": json.dumps({"sha": COMMIT}).encode(),
        f"/api/models/some/model/tree/{COMMIT}?recursive=true": json.dumps(tree).encode(),
        f"/some/model/resolve/{COMMIT}/config.json": CONFIG,
        f"/some/model/resolve/{COMMIT}/model.safetensors": WEIGHTS,
    }
    return Hub(server.url(""))


def cached(cache: Path, name: str, commit: str) -> Path:
    """As Hugging Face's own client leaves it."""
    home = cache / f"models--{name.replace('/', '--')}"
    folder = home / "snapshots" / commit
    folder.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)
    (folder / "config.json").write_bytes(CONFIG)
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    return folder


def test_without_paths_the_official_model_and_dataset_are_wanted_with_their_sizes() -> None:
    checkpoint, data = fetching.wanted(asked())
    assert (checkpoint.source, checkpoint.size_bytes) == (MODEL.source, 93_405_585_408)
    assert (data.source, data.size_bytes) == (DATASET_FILES[0].url, 71_000_000)
    assert str(checkpoint) == f"the checkpoint {MODEL.source} (93.4 GB)"
    assert [each.what for each in fetching.wanted(asked(sut="echo"))] == ["dataset"]
    own = fetching.wanted(asked(sut="echo", paths__dataset="https://x.org/rows.pkl"))[0]
    assert str(own) == "the dataset https://x.org/rows.pkl (size not known before)" and not own.is_published
    assert fetching.wanted(asked("mixtral-nano")) == ()
    assert fetching.wanted(asked(paths__checkpoint="/m", paths__dataset="/d.pkl")) == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("paths.checkpoint", "hf:some/model"),
        ("paths.checkpoint", f"hf:some/model@{COMMIT}"),
        ("paths.checkpoint", "https://x.org/metadata/model.uri"),
        ("paths.dataset", "https://x.org/a/rows.pkl"),
    ],
)
def test_an_address_stays_an_address_and_is_asked_for_again_as_it_was(name: str, text: str) -> None:
    config = asked(**{name.replace(".", "__"): text})
    assert text in [each.source for each in fetching.wanted(config)]
    assert config_text.asked(config)[name] == text
    assert config_options.build("mixtral-8x7b", config_text.asked(config), {}) == config


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("paths.checkpoint", "s3://bucket/model", "no address that Assay fetches from"),
        ("paths.checkpoint", "hf:model", "no address that Assay fetches from"),
        ("paths.checkpoint", "https:", "no address that Assay fetches from"),
        ("paths.dataset", "hf:some/model", "a model, not a dataset"),
    ],
)
def test_an_address_of_another_kind_is_refused_and_not_taken_for_a_path(
    name: str, text: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        asked(**{name.replace(".", "__"): text})


def test_a_file_address_is_the_path(tmp_path: Path) -> None:
    assert asked(paths__dataset=f"file://{tmp_path}/a%20b.pkl").paths.dataset == tmp_path / "a b.pkl"


def test_a_model_of_a_branch_is_fetched_at_the_commit_that_it_means_and_then_it_is_here() -> None:
    with flaky.serving() as server:
        hub = serve(server)
        config = asked(paths__checkpoint="hf:some/model", paths__dataset=server.url("/rows.pkl"))
        server.files["/rows.pkl"] = b"rows"
        made = fetching.fetch(config, fetching.wanted(config), hub, lambda _: None)
        assert fetching.sized(fetching.wanted(config)[:1], hub)[0].size_bytes == len(CONFIG) + len(WEIGHTS)
    assert artifact_origin(made.paths.checkpoint) == f"some/model@{COMMIT}"
    assert made.paths.dataset is not None and made.paths.dataset.read_bytes() == b"rows"
    here = fetching.found(config, Hub())  # nobody serves any more
    assert here.paths == made.paths and fetching.wanted(here) == ()


def test_what_the_hubs_own_client_has_is_not_fetched_again(tmp_path: Path) -> None:
    cache = tmp_path / "hub"
    name, commit = MODEL.of_hub
    official, other = cached(cache, name, commit), cached(cache, "some/model", COMMIT)
    hub = Hub(cache=cache)
    assert fetching.found(asked(), hub).paths.checkpoint == official
    assert fetching.found(asked(paths__checkpoint="hf:some/model"), hub).paths.checkpoint == other
    gone = asked(paths__checkpoint=f"hf:some/model@{'0' * 40}")
    assert fetching.found(gone, hub).paths.checkpoint is None
    (official / "model.safetensors").unlink()
    assert fetching.found(asked(), hub).paths.checkpoint is None


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HUGGINGFACE_HUB_CACHE": "/a"}, "/a"),
        ({"HF_HOME": "/b", "XDG_CACHE_HOME": "/c"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
    ],
)
def test_the_cache_is_where_the_hubs_own_client_looks(environ: dict[str, str], folder: str) -> None:
    assert hub_cache.folder(environ) == hub_of(environ).cache == Path(folder)
    assert hub_cache.folder({}) == Path.home() / ".cache/huggingface/hub"


def test_a_job_that_cannot_run_is_refused_before_anything_is_fetched() -> None:
    with pytest.raises(ConfigError, match="transformers SUT cannot run in int8"):
        fetching.job(asked(sut="transformers", precision="int8"))
    with pytest.raises(ConfigError, match=r"not part of round v6\.1"):
        fetching.job(asked(round="v6.1"))
    made = fetching.job(asked())
    assert made.config.paths.checkpoint is None and made.rules.dataset_samples == 15000


THINGS = (Wanted("checkpoint", "hf:a/b", 93_405_585_408), Wanted("dataset", "https://x/y.pkl", None))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_asked_when_nothing_is_missing_or_yes_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    consent.ask((), False)
    consent.ask(THINGS, True)


def test_without_a_terminal_the_sizes_and_the_flag_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(ConfigError, match=r"hf:a/b \(93\.4 GB\) and the dataset") as refused:
        consent.ask(THINGS, False)
    assert "--yes" in refused.value.hint and "--checkpoint DIR, --dataset FILE" in refused.value.hint


@pytest.mark.parametrize(("said", "agrees"), [("y\n", True), ("YES\n", True), ("\n", False), ("", False)])
def test_on_a_terminal_the_user_is_asked_and_silence_is_no(
    monkeypatch: pytest.MonkeyPatch, said: str, agrees: bool
) -> None:
    question = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(said))
    monkeypatch.setattr("sys.stderr", question)
    if agrees:
        consent.ask(THINGS, False)
    else:
        with pytest.raises(ConfigError, match="nothing was fetched"):
            consent.ask(THINGS, False)
    assert "93.4 GB" in question.getvalue()


def test_bench_without_a_terminal_fetches_nothing_unless_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert cli.main(["bench", "mixtral-8x7b", "--sut", "echo"]) == 2
    said = capsys.readouterr().err
    assert "09292024_mixtral_15k_mintoken2_v1.pkl (71.0 MB)" in said and "--yes fetches it once" in said
    assert not settings.home().exists() or not any(settings.home().rglob("*.pkl*"))


def test_a_plan_counts_what_is_to_be_fetched_and_what_is_here_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "free_bytes", lambda _: 10**12)
    monkeypatch.setattr(
        cost, "seconds", lambda work: ({}, None)
    )  # which would time products of the full model
    for kind in ("available", "total"):
        monkeypatch.setattr(memory, kind, lambda: 2 * 10**11)
    whole = plan.make(Request(asked()))
    assert whole.download_bytes >= 93_405_585_408 + 71_000_000
    assert whole.disk_bytes >= 93_405_585_408 and whole.weight_bytes == 93_405_585_408
    assert sum("fetched first" in note for note in whole.notes) == 2
    cached(tmp_path / "hub", *MODEL.of_hub)
    assert plan.make(Request(asked()), Hub(cache=tmp_path / "hub")).download_bytes < 10**9


def test_a_plan_of_a_model_that_the_hub_does_not_list_is_blocked() -> None:
    with flaky.serving(b"", *[flaky.status(404)] * 3) as server:
        made = plan.make(Request(asked(paths__checkpoint="hf:no/such")), Hub(server.url("")))
    assert any("HTTP 404" in blocker.message for blocker in made.blockers)


def test_a_branch_that_the_hub_does_not_know_is_an_error() -> None:
    with flaky.serving(b"{}") as server, pytest.raises(ArtifactError, match="names no commit of 'dev'"):
        config = asked(paths__checkpoint="hf:a/b@dev", sut="engine")
        fetching.fetch(config, fetching.wanted(config), Hub(server.url("")), print)
