"""What a container is given of a job."""

from __future__ import annotations

import json
from pathlib import Path

from assay.bench import contained
from assay.config import BenchmarkConfig, Device, Paths

PATHS = Paths(
    dataset=Path("/d/perf.parquet"),
    accuracy_dataset=Path("/d/acc.parquet"),
    tokenizer=Path("/m"),
    out=Path("/o"),
)
CONFIG = BenchmarkConfig(workload="gpt-oss-120b", sut="echo", round="v6.1", paths=PATHS)


def test_a_container_reads_both_data_sets_and_writes_the_run_folder() -> None:
    task = contained.task(CONFIG)
    assert task.read == (Path("/m"), Path("/d/perf.parquet"), Path("/d/acc.parquet"))
    assert task.write[0] == Path("/o") and len(task.write) == 2
    assert not task.needs_gpu and contained.task(BenchmarkConfig(device=Device.CUDA)).needs_gpu


def test_the_job_crosses_as_the_words_that_ask_for_it() -> None:
    asked = json.loads(contained.serialised(CONFIG))
    assert asked["workload"] == "gpt-oss-120b"
    assert asked["fields"]["paths.accuracy_dataset"] == "/d/acc.parquet"
    assert asked["fields"]["sut"] == "echo" and asked["fields"]["round"] == "v6.1"
