"""What tags and variables of CM ask for, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from assay.doors.cm_reading import Reading
from assay.doors.cm_refused import NotOffered
from assay.recipes.model.selection import Selection


def read(*variations: str, defaults: dict[str, Any] | None = None, **env: Any) -> Reading:
    return Reading(Selection((), variations), env, defaults or {})


def test_only_what_is_asked_for_is_read() -> None:
    asked = read("offline", CM_HW_NAME="box", CM_MLPERF_SUBMITTER=" ")
    assert asked.texts == {"scenarios": "offline", "submission.system_name": "box"}
    assert asked.origin == {"scenarios": "variation _offline", "submission.system_name": "CM_HW_NAME=box"}


def test_the_test_count_counts_in_test_style_only() -> None:
    env = {"CM_TEST_QUERY_COUNT": "1", "CM_MLPERF_LOADGEN_QUERY_COUNT": "7"}
    assert read("test", **env).texts["limits.samples"] == "1"
    assert read("fast", **env).texts["limits.samples"] == "7"
    assert "limits.samples" not in read("fast", CM_TEST_QUERY_COUNT="1").texts


def test_the_rate_of_one_scenario_goes_over_the_general_one() -> None:
    env = {"CM_MLPERF_LOADGEN_TARGET_QPS": "1", "CM_MLPERF_LOADGEN_SERVER_TARGET_QPS": "2"}
    assert read("offline", **env).texts["limits.target_qps"] == "1"
    assert read("server", **env).texts["limits.target_qps"] == "2"


def test_the_run_folder_is_the_base_and_the_folder_name() -> None:
    assert read(OUTPUT_BASE_DIR="/o").texts["paths.out"] == "/o/test_results"
    assert read("valid", OUTPUT_BASE_DIR="/o").texts["paths.out"] == "/o/valid_results"
    assert read(OUTPUT_BASE_DIR="/o", CM_OUTPUT_FOLDER_NAME="mine").texts["paths.out"] == "/o/mine"


def test_the_mount_prefix_of_a_container_names_the_folder_of_the_host() -> None:
    texts = read(
        OUTPUT_BASE_DIR="/cm-mount/me/out", CM_MLPERF_INFERENCE_SUBMISSION_DIR="/cm-mount/tree"
    ).texts
    assert (texts["paths.out"], texts["submission.out"]) == ("/me/out/test_results", "/tree")


def test_a_default_of_the_recipe_may_be_a_list_of_values() -> None:
    asked = read(defaults={"CM_MLPERF_LOADGEN_SCENARIOS": ["Offline", "Server"]})
    assert asked.texts["scenarios"] == "Offline,Server"
    assert asked.origin["scenarios"] == "default of CM's recipe: CM_MLPERF_LOADGEN_SCENARIOS=Offline,Server"


def test_a_backend_is_no_sut_though_it_has_the_name_of_one() -> None:
    assert read(CM_MLPERF_IMPLEMENTATION="ray").texts["sut"] == "ray"
    with pytest.raises(NotOffered, match="CM_MLPERF_DEVICE=ray: Assay runs models on pytorch"):
        read(CM_MLPERF_DEVICE="ray")
