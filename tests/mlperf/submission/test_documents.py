from __future__ import annotations

import shlex
from pathlib import Path

from assay.mlperf.rounds import round as rounds
from assay.mlperf.submission import documents
from assay.mlperf.submission.source import TreeEntry, collect
from tests.mlperf import run_folder


def entry(folder: Path, round_name: str = "v5.1") -> TreeEntry:
    return collect([run_folder.write(folder / "run", round_name)], None)[0]


def test_mlperf_conf_is_read_back_from_the_log(tmp_path: Path) -> None:
    text = documents.mlperf_conf(entry(tmp_path, "v4.1"))
    assert f"*.*.qsl_rng_seed = {rounds.load('v4.1').seeds.qsl}\n" in text
    assert "mixtral-8x7b.Offline.min_duration = 600000\n" in text
    assert "mixtral-8x7b.Offline.use_token_latencies = 1\n" in text


def test_weights_are_those_that_the_run_used(tmp_path: Path) -> None:
    made = entry(tmp_path)
    said = documents.measurement(made)
    assert made.run.precision
    assert said["weight_data_types"] == made.run.precision
    assert said["starting_weights_filename"] == made.run.checkpoint
    assert f"used as {made.run.precision}, made" in documents.calibration_text(made)


def test_the_code_folder_says_the_command(tmp_path: Path) -> None:
    made = entry(tmp_path)
    text = documents.code_readme(made)
    assert text.startswith(f"# {made.benchmark}\n")
    assert shlex.join(made.run.result.command) in text
