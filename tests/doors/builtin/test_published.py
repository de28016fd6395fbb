"""The recipes that fetch: which workload each request means, what it gives, and what is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.doors import builtin, cm_artifacts
from assay.doors.builtin import published
from assay.doors.builtin.call import BuiltinCall
from assay.ground import settings
from assay.ground.errors import ArtifactError, EnvironmentProblem
from assay.mlperf import workloads
from assay.recipes.model.selection import Selection


def call(tags: str, said: list[str] | None = None, **env: Any) -> BuiltinCall:
    def deliver(*_: object) -> Any:
        raise AssertionError("no benchmark is run")

    lines = said if said is not None else []
    return BuiltinCall(Selection.parse(tags), env, {}, {}, "CM_", lines.append, deliver)


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path) -> None:
    settings.set_home(tmp_path / "store")


@pytest.mark.parametrize("name", sorted(published.RECIPES))
def test_every_recipe_has_a_folder_with_tags_and_means_workloads_that_are_there(name: str) -> None:
    assert name in builtin.TAGS
    assert name.startswith(builtin.FETCHING)
    for workload in (published.MODELS.get(name) or published.DATASETS[name]).values():
        assert cm_artifacts.of(workloads.get(workload).name).checkpoint_keys


@pytest.mark.parametrize("name", sorted(published.RECIPES))
def test_a_variation_of_a_recipe_is_done_or_refused_and_never_both(name: str) -> None:
    meta = yaml.safe_load((builtin.HERE / name / "meta.yaml").read_text())
    done = {variation for variation, about in meta["variations"].items() if about}
    assert not done & set(published.REFUSED)
    assert set(meta["variations"]) - done <= set(published.REFUSED)


@pytest.mark.parametrize(
    ("name", "tags", "workload"),
    [
        ("get_ml_model_llama3", "get,ml-model,llama3", "llama3.1-405b"),
        ("get_ml_model_llama3", "get,ml-model,llama3,_405b,_hf", "llama3.1-405b"),
        ("get_ml_model_llama3", "get,ml-model,llama3,_mlc,_8b,_r2-downloader", "llama3.1-8b"),
        ("get_dataset_cnndm", "get,dataset,cnndm,_validation,_datacenter,_llama3,_mlc", "llama3.1-8b"),
        ("get_dataset_cnndm", "get,dataset,cnndm,_validation,_edge,_llama3,_mlc", "llama3.1-8b-edge"),
        ("get_dataset_cnndm", "get,dataset,cnndm,_validation", "gptj-99"),
    ],
)
def test_variations_say_the_workload(name: str, tags: str, workload: str) -> None:
    choices = published.MODELS.get(name) or published.DATASETS[name]
    assert published.chosen(choices, set(Selection.parse(tags).variations)) == workload


@pytest.mark.parametrize("name", sorted(published.MODELS))
def test_a_checkpoint_that_is_named_is_given_under_every_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    keys = cm_artifacts.of(published.MODELS[name][""]).checkpoint_keys
    answer = published.act(name, call("get,ml-model", **{keys[0]: str(tmp_path)}))
    assert {answer["new_env"][key] for key in (*keys, "CM_ML_MODEL_PATH")} == {str(tmp_path)}


@pytest.mark.parametrize("name", sorted(published.DATASETS))
def test_a_dataset_that_is_named_is_given_under_every_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("{}\n")
    keys = cm_artifacts.of(published.DATASETS[name][""]).dataset_keys
    answer = published.act(name, call("get,dataset", **{keys[0]: str(file)}))
    assert {answer["new_env"][key] for key in (*keys, "CM_DATASET_PREPROCESSED_PATH")} == {str(file)}


def test_a_folder_of_several_files_gives_the_one_that_is_meant(tmp_path: Path) -> None:
    for file in workloads.get("gpt-oss-120b").dataset_files:
        (tmp_path / file.name).write_bytes(b"rows")
    key = cm_artifacts.of("gpt-oss-120b").dataset_keys[0]
    answer = published.act("get_dataset_gpt_oss", call("get,dataset", **{key: str(tmp_path)}))
    assert Path(answer["new_env"][key]).name == "perf_eval_ref.parquet"


@pytest.mark.parametrize(
    ("name", "tags", "source"),
    [
        ("get_ml_model_mixtral", "get,_stub.owner/name@abc,_dry-run", "hf:owner/name@abc"),
        ("get_ml_model_llama2", "get,_stub.owner/name,_dry-run", "hf:owner/name"),
        ("get_ml_model_llama2", "get,_stub./models/mine,_dry-run", "/models/mine"),
        ("get_dataset_openorca", "get,_calibration,_dry-run", "llama-2-70b-open-orca-dataset.uri"),
        ("get_dataset_llama3", "get,_calibration,_dry-run", "llama3-1-405b-calibration-dataset-512.uri"),
    ],
)
def test_a_dry_run_says_what_it_would_fetch(name: str, tags: str, source: str) -> None:
    said: list[str] = []
    assert published.act(name, call(tags, said))["new_env"] == {}
    assert source in said[-1]


def test_a_model_that_does_not_fit_is_refused_before_it_is_fetched() -> None:
    with pytest.raises(EnvironmentProblem, match=r"llama3\.1-405b does not fit here"):
        published.act("get_ml_model_llama3", call("get,ml-model,llama3"))


def test_a_set_that_nobody_publishes_ready_says_how_to_build_it() -> None:
    with pytest.raises(ArtifactError, match="no dataset of gptj-99 is published ready") as caught:
        published.act("get_dataset_cnndm", call("get,dataset,cnndm,_validation"))
    assert "assay dataset build --workload gptj-99" in caught.value.hint


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ("get,ml-model,llama2,_nvidia,_fp8", "variation _nvidia: made for the harness of one vendor"),
        ("get,ml-model,llama2,_tp-size.8", "variation _tp-size.8: made for the harness"),
        ("get,ml-model,llama2,_7b", "no benchmark of Assay measures this model"),
        ("get,ml-model,gptj,_int8", "lowers their precision when it loads them"),
        ("get,preprocessed,dataset,openorca,_size.60", "--count=N"),
        ("get,dataset,openorca,original", "tags openorca,original: the table that the dataset was made from"),
        ("get,dataset,cnndm,original", ""),
        ("get,ml-model,llama2,_stub.a/b,_mlc,_rclone", ""),
    ],
)
def test_what_is_not_done_is_declined_by_name(tags: str, reason: str) -> None:
    said = published.declines(call(tags))
    assert (reason in said) if reason else not said
