"""Our own recipes: each owns its tags, hands the right question on, and says what it ignores."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.cli import main
from assay.config import BenchmarkConfig, Delivery, MayFetch, Request
from assay.doors import builtin
from assay.doors.builtin import published
from assay.doors.builtin.call import Delivered
from assay.doors.cm_delivery import USUAL
from assay.doors.cm_refused import REFUSED
from assay.doors.cm_settings import SETTINGS, WRAPPER_ONLY
from assay.ground import settings
from assay.ground.errors import ArtifactError
from assay.ground.hub import Hub
from assay.mlperf.workloads.mixtral_8x7b import MODEL
from assay.recipes.actions.dispatch import perform
from assay.recipes.contract.argv import parse
from assay.recipes.errors import RecipeFault
from assay.recipes.home.location import home_from
from assay.recipes.run.context import Context
from tests import fakes
from tests.end_to_end import published_command
from tests.ground import flaky_server as flaky

APP = "--tags=app,mlperf,inference,generic"


class Console:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    note = say

    def ask(self, question: str) -> str | None:
        raise AssertionError(f"nothing may be asked: {question}")


class Benchmark:
    """Takes the place of the benchmark itself."""

    def __init__(self) -> None:
        self.config: BenchmarkConfig | None = None
        self.delivery: Delivery | None = None
        self.folder = Path("/run")

    def __call__(self, request: Request, hub: Hub) -> Delivered:
        self.config, self.delivery = request.config, request.delivery
        return Delivered(self.folder, Path("/tree"), Path("/tree.tar.gz"))


@pytest.fixture
def benchmark() -> Benchmark:
    return Benchmark()


@pytest.fixture
def console() -> Console:
    return Console()


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, benchmark: Benchmark, console: Console) -> Run:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    settings.set_home(tmp_path / "store")
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

    def perform_line(*words: str, dialect: str = "cm", action: str = "run") -> dict[str, Any]:
        home = home_from(environ, dialect)
        registered = builtin.registered(benchmark, console.say, environ)
        context = Context(home, console, environ, registered)
        answer: dict[str, Any] = perform(context, parse([action, "script", *words]))
        return answer

    return perform_line


def test_the_published_command_becomes_one_config_and_one_delivery(run: Run, benchmark: Benchmark) -> None:
    answer = run(*published_command.RUN[2:])
    assert benchmark.config is not None
    assert benchmark.config.sut == "transformers"
    assert benchmark.config.limits.samples == 1
    assert benchmark.delivery is not None
    assert benchmark.delivery.container is not None
    assert answer["return"] == 0
    assert answer["new_env"]["CM_MLPERF_INFERENCE_SUBMISSION_TAR_FILE"] == "/tree.tar.gz"


def test_repeated_and_unknown_options_are_told_once(run: Run, console: Console) -> None:
    run(APP, "--env.CM_HW_NAME=a", "--env.CM_HW_NAME=b", "--env.CM_HW_NAMES=c")
    told = [line for line in console.lines if line.startswith("assay: ")]
    assert "assay: given more than once, the last counts: CM_HW_NAME=b" in told
    assert "assay: ignored: CM_HW_NAMES; did you mean CM_HW_NAME?" in told


def test_an_unknown_option_ends_a_strict_run(run: Run, benchmark: Benchmark) -> None:
    with pytest.raises(RecipeFault, match="CM_HW_NAMES"):
        run(APP, "--strict", "--env.CM_HW_NAMES=c")
    assert benchmark.config is None


def test_the_benchmark_alone_measures_accuracy_and_the_wrapper_both(run: Run, benchmark: Benchmark) -> None:
    run(APP)
    assert benchmark.config is not None
    assert [mode.value for mode in benchmark.config.modes] == ["accuracy"]
    run("--tags=run-mlperf,inference")
    assert [mode.value for mode in benchmark.config.modes] == ["performance", "accuracy"]


def test_flags_are_mapped_as_upstream_maps_them(run: Run, benchmark: Benchmark) -> None:
    run(
        "--tags=run-mlperf,inference,_full,_submission",
        "--model=mixtral-8x7b",
        "--implementation=assay",
        "--device=cpu",
        "--precision=bfloat16",
        "--scenario=Server",
        "--execution_mode=valid",
        "--category=datacenter",
        "--division=closed",
        "--submitter=Me",
        "--hw_name=box",
        "--batch_size=4",
        "--target_qps=3",
        "--output_dir=/o",
        "--submission_dir=/s",
        "--compliance=no",
        "--docker=no",
    )
    config, delivery = benchmark.config, benchmark.delivery
    assert config is not None
    assert delivery is not None
    assert (config.sut, config.precision.value, config.scenarios[0].value) == ("engine", "bfloat16", "Server")
    assert (config.limits.batch, config.limits.target_qps) == (4, 3.0)
    assert config.submission.division.value == "closed"
    assert str(config.paths.out) == "/o/valid_results"
    assert delivery == dataclasses.replace(USUAL, submit=True, full=True, check=True, pack=True)


FIND = "--tags=run-mlperf,inference,_find-performance"


def test_the_rate_found_is_told_and_handed_on(
    run: Run, benchmark: Benchmark, console: Console, tmp_path: Path
) -> None:
    benchmark.folder = tmp_path / "found"
    fakes.result(fakes.performance()).write(benchmark.folder)
    answer = run(FIND)
    assert "assay: the rate of Offline here is 0.5 samples/s: --target_qps=0.5" in console.lines
    assert answer["new_env"]["CM_MLPERF_LOADGEN_TARGET_QPS"] == "0.5"
    assert benchmark.delivery == USUAL


def test_a_run_without_a_rate_finds_none(run: Run, benchmark: Benchmark, tmp_path: Path) -> None:
    benchmark.folder = tmp_path / "found"
    fakes.result(fakes.performance(figures=())).write(benchmark.folder)
    with pytest.raises(RecipeFault, match="holds no rate"):
        run(FIND)


def test_no_rate_is_looked_for_in_server(run: Run, benchmark: Benchmark) -> None:
    with pytest.raises(RecipeFault, match="_find-performance finds the rate of Offline"):
        run(FIND, "--scenario=Server")
    assert benchmark.config is None


def test_a_refused_variation_ends_with_its_reason(run: Run) -> None:
    with pytest.raises(RecipeFault, match="Assay runs on cpu and cuda"):
        run(APP + ",_rocm")


def test_an_unknown_round_ends_as_in_cm_and_the_known_ones_are_named(run: Run) -> None:
    with pytest.raises(RecipeFault, match="no _r9") as caught:
        run("--tags=run-mlperf,inference,_full,_r9.9")
    assert caught.value.code == 16
    assert caught.value.hint.startswith("one of: _r4.0, _r4.1, _r5.0, _r5.1, _r6.0, _r6.1")


WRAPPER = "run-mlperf,inference"


@pytest.fixture
def pulled(tmp_path: Path) -> Path:
    """A home with a repository whose recipe has the wrapper's tags and knows other models."""
    repository = tmp_path / "CM" / "repos" / "owner@pulled"
    folder = repository / "script" / "theirs"
    folder.mkdir(parents=True)
    (repository / "cmr.yaml").write_text("alias: owner@pulled\nuid: 00000000000000aa\n")
    (repository.parent.parent / "repos.json").write_text(json.dumps([str(repository)]))
    meta = f"alias: theirs\nuid: 00000000000000bb\ntags: [{WRAPPER}]\nnew_env_keys: [CM_BY]\nenv: {{CM_BY: them}}\n"
    (folder / "_cm.yaml").write_text(meta + "variations: {bert-99: {}, only-theirs: {}, r9.9: {}}\n")
    return repository


@pytest.mark.parametrize(
    "words",
    [
        [f"{WRAPPER},_bert-99"],
        [f"{WRAPPER},_only-theirs"],
        [f"{WRAPPER},_r9.9"],
        [WRAPPER, "--model=bert-99"],
        [WRAPPER, "--implementation=nvidia"],
        [WRAPPER, "--backend=vllm"],
        [WRAPPER, "--device=rocm"],
    ],
)
@pytest.mark.usefixtures("pulled")
def test_what_assay_does_not_measure_is_answered_by_a_pulled_recipe(
    run: Run, benchmark: Benchmark, console: Console, words: list[str]
) -> None:
    answer = run(f"--tags={words[0]}", *words[1:], "--quiet", "--user_python")
    assert answer["new_env"] == {"CM_BY": "them"}
    assert benchmark.config is None
    assert sum("a recipe of owner@pulled answers in its place" in line for line in console.lines) == 1


@pytest.mark.usefixtures("pulled")
def test_what_assay_measures_is_answered_by_its_own_recipe_beside_a_pulled_one(
    run: Run, benchmark: Benchmark
) -> None:
    run(f"--tags={WRAPPER}", "--model=mixtral-nano")
    assert benchmark.config is not None


def test_what_assay_does_not_measure_names_the_repository_that_may(run: Run) -> None:
    for words in ([f"--tags={WRAPPER},_bert-99"], [f"--tags={WRAPPER}", "--model=llama3-8b"]):
        with pytest.raises(RecipeFault) as caught:
            run(*words)
        assert "pull repo mlcommons@cm4mlops" in caught.value.hint


@pytest.mark.parametrize(
    ("tags", "flags", "action"),
    [
        (WRAPPER, ["--model=mixtral-nano", "--fake_run"], "run"),
        (WRAPPER, ["--model=mixtral-nano", "--prepare"], "run"),
        (WRAPPER, ["--model=mixtral-nano"], "prepare"),
        (WRAPPER, ["--model=mixtral-nano", "--fake_run"], "docker"),
        ("get,dataset-mixtral,openorca-mbxp-gsm8k-combined", ["--fake_run"], "run"),
        ("get,ml-model,mixtral", ["--fake_run"], "run"),
        ("mlperf,submission,checker", ["--fake_run"], "run"),
    ],
)
def test_a_fake_run_runs_fetches_and_writes_nothing(
    run: Run, benchmark: Benchmark, tmp_path: Path, tags: str, flags: list[str], action: str
) -> None:
    assert run(f"--tags={tags}", *flags, action=action)["return"] == 0
    assert benchmark.config is None
    assert not list((tmp_path / "here").iterdir())
    assert not (tmp_path / "store").exists()


def test_a_fake_run_says_the_whole_request(run: Run, console: Console) -> None:
    run(f"--tags={WRAPPER}", "--model=mixtral-nano", "--implementation=echo", "--fake_run")
    assert "inference,generic,_mixtral-nano,_echo" in console.lines[-1]


def test_options_without_an_effect_are_told_once_and_end_a_strict_run(
    run: Run, benchmark: Benchmark, console: Console
) -> None:
    options = [
        "--adr.mlperf-implementation.tags=_repo.mine",
        "--nonsense=3",
        "--adr.compiler.tags=gcc",
        "--state.x=1",
    ]
    run(f"--tags={WRAPPER}", "--model=mixtral-nano", *options)
    told = "\n".join(console.lines)
    for word in ("--adr.mlperf-implementation.tags=_repo.mine", "--nonsense", "--state"):
        assert told.count(f"ignored: {word}") == 1
    assert "compiler" not in told
    benchmark.config = None
    with pytest.raises(RecipeFault, match="nonsense"):
        run(f"--tags={WRAPPER}", "--model=mixtral-nano", "--nonsense=3", "--strict")
    assert benchmark.config is None


def test_only_the_batch_size_is_taken_from_what_is_asked_of_the_implementation(
    run: Run, benchmark: Benchmark, console: Console
) -> None:
    below = "--adr.mlperf-inference-implementation"
    run(f"--tags={WRAPPER}", f"{below}.tags=_batch_size.3,_fork", f"{below}.version=9")
    assert benchmark.config is not None
    assert benchmark.config.limits.batch == 3
    told = "\n".join(console.lines)
    assert f"ignored: {below}.tags=_batch_size.3,_fork" in told
    assert f"ignored: {below}.version=9" in told


def test_a_constant_wins_over_a_flag(run: Run, benchmark: Benchmark) -> None:
    run(APP, "--env.CM_MLPERF_IMPLEMENTATION=reference", "--const.CM_MLPERF_IMPLEMENTATION=echo")
    assert benchmark.config is not None
    assert benchmark.config.sut == "echo"


def test_there_is_no_dockerfile_of_a_recipe_of_assays_own(run: Run) -> None:
    with pytest.raises(RecipeFault, match="its image is made when it runs"):
        run(f"--tags={WRAPPER}", "--model=mixtral-nano", action="dockerfile")


def test_help_for_a_request_describes_the_recipe_that_answers(run: Run, console: Console) -> None:
    run(f"--tags={WRAPPER}", "--help")
    assert any("--target_qps" in line for line in console.lines)


def test_a_plan_of_a_benchmark_needs_no_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CM_REPOS", str(tmp_path))
    assert main(["recipe", "plan", f"{WRAPPER},_full,_r4.1"]) == 0
    assert "run-mlperf-inference-app _full _r4.1" in capsys.readouterr().out


def test_an_unknown_variation_gets_the_nearest_one(run: Run) -> None:
    with pytest.raises(RecipeFault) as caught:
        run(APP + ",_flot16")
    assert "float16" in caught.value.message + caught.value.hint


def test_the_other_dialect_asks_for_the_same(run: Run, benchmark: Benchmark) -> None:
    answer = run(APP, "--env.MLC_HW_NAME=box", "--test_query_count=3", dialect="mlc")
    assert benchmark.config is not None
    assert benchmark.config.submission.system_name == "box"
    assert benchmark.config.limits.samples == 3
    assert answer["new_env"]["MLC_MLPERF_INFERENCE_RESULTS_DIR"] == "/run"


def test_fetching_can_be_switched_off_for_each(run: Run, benchmark: Benchmark) -> None:
    run(APP, "--env.CM_MLPERF_MODEL_MIXTRAL_8X7B_DOWNLOAD_TO_HOST=no")
    assert benchmark.delivery is not None
    assert benchmark.delivery.may_fetch == MayFetch(model=False)
    run(APP, "--env.CM_MLPERF_DATASET_MIXTRAL_8X7B_DOWNLOAD_TO_HOST=False")
    assert benchmark.delivery.may_fetch == MayFetch(dataset=False)


def test_the_docker_action_asks_for_a_container(run: Run, benchmark: Benchmark) -> None:
    run(APP, action="docker")
    assert benchmark.delivery is not None
    assert benchmark.delivery.container is not None
    run(APP)
    assert benchmark.delivery.container is None


def test_a_model_that_is_there_is_used_where_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    answer = run("--tags=get,ml-model,mixtral", f"--checkpoint={tmp_path}")
    assert answer["new_env"]["MIXTRAL_CHECKPOINT_PATH"] == str(tmp_path)


def test_a_model_that_the_hubs_own_client_has_needs_no_room_and_no_fetch(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.ground.download.free_bytes", lambda _: 1)
    name, commit = MODEL.of_hub
    home = Path.home() / ".cache/huggingface/hub" / f"models--{name.replace('/', '--')}"
    folder = home / "snapshots" / commit
    folder.mkdir(parents=True)
    for file in ("config.json", "model.safetensors"):
        (folder / file).write_text("{}")
    assert run("--tags=get,ml-model,mixtral")["new_env"]["MIXTRAL_CHECKPOINT_PATH"] == str(folder)


def test_the_full_model_is_held_against_the_machine_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.ground.download.free_bytes", lambda _: 10**9)
    with pytest.raises(RecipeFault, match=r"93\.4 GB on disk"):
        run("--tags=get,ml-model,mixtral")


def test_a_dataset_of_an_address_is_fetched_once(run: Run) -> None:
    with flaky.serving(b"rows") as server:
        words = (
            "--tags=get,dataset-mixtral,openorca-mbxp-gsm8k-combined",
            f"--dataset={server.url('/r.pkl')}",
        )
        first, second = run(*words), run(*words)
        assert len(server.requests) == 1
    assert first["new_env"] == second["new_env"]
    assert Path(first["new_env"]["CM_DATASET_PREPROCESSED_PATH"]).read_bytes() == b"rows"


def test_a_superseded_dataset_is_told(run: Run, console: Console, tmp_path: Path) -> None:
    old = tmp_path / "mixtral_8x7b%2F2024.06.06_mixtral_15k_v4.pkl"
    old.write_bytes(b"rows")
    run("--tags=get,dataset-mixtral", f"--dataset={old}")
    assert any("superseded by 09292024" in line for line in console.lines)


def test_the_system_answers_without_any_repository(run: Run) -> None:
    assert run("--tags=detect,os")["new_env"]["CM_HOST_OS_TYPE"] == "linux"
    assert "CM_HOST_CPU_MODEL_NAME" in run("--tags=detect,cpu")["new_env"]
    assert run("--tags=get,sut,description", "--name=box")["new_state"]["CM_SUT_META"]["system_name"] == "box"


def test_a_tree_without_results_fails_the_check_and_the_short_one_tells_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tree" / "closed" / "Me").mkdir(parents=True)
    tags = "--tags=run,mlperf,inference,submission,checker"
    with pytest.raises(RecipeFault, match="errors in round v6"):
        run(tags, f"--submission_dir={tmp_path / 'tree'}")
    answer = run(f"{tags},_short-run", f"--submission_dir={tmp_path / 'tree'}")
    assert int(answer["new_env"]["CM_MLPERF_SUBMISSION_CHECKER_ERRORS"]) > 0


@pytest.mark.parametrize(
    "tags", ["process,mlperf,accuracy", "generate,mlperf,inference,submission", "mlperf,submission,checker"]
)
def test_what_is_missing_is_told_with_the_option_that_gives_it(run: Run, tags: str) -> None:
    with pytest.raises(RecipeFault) as caught:
        run(f"--tags={tags}")
    assert "_dir=" in caught.value.hint


def test_an_expected_failure_has_the_code_of_a_recipe(run: Run, tmp_path: Path) -> None:
    with pytest.raises(RecipeFault, match="does not exist") as caught:
        run("--tags=get,ml-model,mixtral", f"--checkpoint={tmp_path / 'gone'}")
    assert caught.value.code == 1
    assert isinstance(caught.value.__cause__, ArtifactError)


# ---- each meta.yaml and the door's tables


@pytest.mark.parametrize("name", builtin.TAGS)
def test_a_description_has_the_tags_that_its_folder_owns_and_an_action(name: str) -> None:
    meta = yaml.safe_load((builtin.HERE / name / "meta.yaml").read_text())
    assert set(meta["tags"]) >= {tag for tags in builtin.TAGS[name][:1] for tag in tags.split(",")}
    assert (builtin.HERE / name / "action.py").is_file() is not (name in published.RECIPES)


@pytest.mark.parametrize("name", builtin.BENCHMARKS)
def test_the_benchmark_knows_every_variation_of_the_door(name: str) -> None:
    known = set(yaml.safe_load((builtin.HERE / name / "meta.yaml").read_text())["variations"])
    asked = {variation for setting in SETTINGS for variation in setting.variations}
    benchmark_versions = {v for v in asked if v.startswith("r") and v[1:2].isdigit() and "_" not in v}
    if name == "app_mlperf_inference":
        asked -= WRAPPER_ONLY | benchmark_versions
    assert asked <= known


def test_every_variation_of_the_benchmark_has_a_meaning() -> None:
    known = set(
        yaml.safe_load((builtin.HERE / "run_mlperf_inference" / "meta.yaml").read_text())["variations"]
    )
    meant = {variation for setting in SETTINGS for variation in setting.variations}
    assert known - meant - set(REFUSED) == {"pytorch", "batch_size.#", "short", "full", "compliance"}
