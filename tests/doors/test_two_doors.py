"""The same benchmark asked at either door is the same value, and leaves the same record."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.config import BenchmarkConfig, Delivery
from assay.doors import cm, cm_delivery, config_options, config_text, delivery_options
from assay.recipes.contract import argv
from assay.recipes.model.selection import Selection
from tests.end_to_end import rows

RUN_YAML = """\
workload: mixtral-8x7b
scenario: offline
mode: [accuracy]
style: test
round: v4.1-dev
sut: transformers
device: cpu
precision: float16
limits: {samples: 3, batch: 2, target_qps: 0.5}
paths: {checkpoint: /m, dataset: /d.pkl, out: /o/test_results}
submission: {submitter: Me, division: closed, system_name: box, out: /t}
"""
FLAGS = (
    "mixtral-8x7b --scenario offline --mode accuracy --style test --round v4.1-dev --sut transformers "
    "--device cpu --precision float16 --samples 3 --batch 2 --target-qps 0.5 --checkpoint /m "
    "--dataset /d.pkl --out /o/test_results --submitter Me --division closed --system-name box "
    "--submission-out /t"
)
CM_LINE = (
    "run script --tags=app,mlperf,inference,generic,_reference,_mixtral-8x7b,_pytorch,_cpu,_test,"
    "_r4.1-dev_default,_float16,_offline,_batch_size.2 --env.CM_MLPERF_LOADGEN_MODE=accuracy "
    "--env.CM_TEST_QUERY_COUNT=3 --env.CM_MLPERF_LOADGEN_TARGET_QPS=0.5 --env.MIXTRAL_CHECKPOINT_PATH=/m "
    "--env.CM_DATASET_MIXTRAL_PREPROCESSED_PATH=/d.pkl --env.OUTPUT_BASE_DIR=/o "
    "--env.CM_MLPERF_SUBMITTER=Me --env.CM_MLPERF_SUBMISSION_DIVISION=closed --env.CM_HW_NAME=box "
    "--env.CM_MLPERF_INFERENCE_SUBMISSION_DIR=/t"
)


def from_flags(*words: str) -> BenchmarkConfig:
    parser = argparse.ArgumentParser()
    config_options.add_arguments(parser)
    return config_options.from_args(parser.parse_args(words))


def test_flags_run_yaml_and_a_cm_line_are_one_value(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(RUN_YAML)
    by_flags = from_flags(*FLAGS.split())
    by_file = from_flags("--config", str(tmp_path / "run.yaml"))
    by_tags = cm.from_cm(*cm.asked_by(argv.parse(CM_LINE.split()), {}))
    assert by_flags == by_file == by_tags


def test_each_door_says_where_a_value_came_from() -> None:
    by_tags = cm.from_cm(*cm.asked_by(argv.parse(CM_LINE.split()), {}))
    assert by_tags.origin["precision"] == "variation _float16"
    assert by_tags.origin["limits.samples"] == "CM_TEST_QUERY_COUNT=3"
    assert by_tags.origin["limits.min_duration_s"] == "default"
    assert from_flags(*FLAGS.split()).origin["precision"] == "flag --precision"


def test_either_command_line_is_written_from_the_other(tmp_path: Path) -> None:
    config = from_flags(*FLAGS.split())
    again = cm.from_cm(*cm.asked_by(argv.parse(cm.command(config)[1:]), {}))
    assert config_text.command(again) == config_text.command(config)


def test_what_is_asked_around_a_benchmark_is_one_value_at_both_doors() -> None:
    parser = argparse.ArgumentParser()
    config_options.add_arguments(parser)
    delivery_options.add_arguments(parser)
    flags = (
        "--submit --allow-fake --compliance --reuse --out o --clean-submission --gate --unsafe-no-sandbox "
        "--submission-style full --container podman --container-privileged --container-detached"
    )
    by_flags = delivery_options.from_args(parser.parse_args(flags.split())).delivery
    names = (
        "CM_MLPERF_SUBMISSION_RUN CM_RUN_SUBMISSION_CHECKER CM_TAR_SUBMISSION_DIR CM_MLPERF_LOADGEN_COMPLIANCE "
        "CM_MLPERF_CLEAN_SUBMISSION_DIR CM_MLPERF_USE_DOCKER CM_DOCKER_PRIVILEGED_MODE CM_DOCKER_DETACHED_MODE "
        "CM_ASSAY_GATE CM_ASSAY_UNSAFE_NO_SANDBOX"
    )
    env = {**dict.fromkeys(names.split(), "yes"), "CM_CONTAINER_TOOL": "podman"}
    by_variables = cm_delivery.delivery(Selection(("run-mlperf", "inference"), ()), env)
    usual = {"is_tree_beside_run": False, "default_submitter": Delivery.default_submitter}
    assert dataclasses.replace(by_variables, **usual) == by_flags


@pytest.mark.usefixtures("loadgen")
def test_both_doors_leave_the_same_record_but_for_origins_and_times(tmp_path: Path, store: Path) -> None:
    words = rows.tokenizer(tmp_path / "words")
    data = rows.write(tmp_path / "rows.jsonl", words)
    config = from_flags(
        *f"mixtral-8x7b --sut echo --round v4.1 --samples 2 --mode accuracy --target-qps 50 "
        f"--checkpoint {words} --dataset {data}".split()
    )
    options_line = [*config_text.command(config)[1:], "--out", str(tmp_path / "options")]
    cm_line = [*cm.command(config)[1:], f"--env.OUTPUT_BASE_DIR={tmp_path}", "--env.CM_OUTPUT_FOLDER_NAME=cm"]
    for line in (options_line, cm_line):
        assay(store, tmp_path, *line)
    assert record(tmp_path / "options") == record(tmp_path / "cm")


def assay(store: Path, home: Path, *words: str) -> None:
    env = {**os.environ, "ASSAY_HOME": str(store), "CM_REPOS": str(home / "CM")}
    done = subprocess.run(
        [sys.executable, "-m", "assay", *words],
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def record(folder: Path) -> dict[str, Any]:
    """result.json without what two runs may differ in: times, figures, hashes of logs, origins, the folder."""
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    for key in ("started_at", "finished_at", "files", "system", "used"):
        del found[key]
    del found["asked"]["origin"], found["asked"]["paths"]["out"]
    for run in found["runs"]:
        for key in ("seconds", "figures", "effective"):
            del run[key]
    return found
