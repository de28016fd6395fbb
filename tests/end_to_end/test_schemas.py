"""What runs, imports and other records leave is taken by the published schemas."""

from __future__ import annotations

import json
from pathlib import Path

from assay.cli import main
from tests import fakes
from tests.bench.foreign_files import VLLM
from tests.end_to_end import rows
from tests.mlperf import run_folder
from tests.test_schema import RESULT, RUN


def test_the_files_of_a_real_run_are_taken(tmp_path: Path, loadgen: None) -> None:
    data = rows.write(tmp_path / "set.jsonl", rows.tokenizer(tmp_path / "words"))
    job = ["bench", "mixtral-8x7b", "--sut", "echo", "--checkpoint", str(tmp_path / "words"), "--quiet"]
    assert (
        main([*job, "--dataset", str(data), "--scenario", "offline,server", "--out", str(tmp_path / "run")])
        == 0
    )
    RESULT.validate(json.loads((tmp_path / "run/result.json").read_text()))
    RUN.validate(json.loads((tmp_path / "run/config.json").read_text()))


def test_other_records_are_taken(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text(json.dumps(VLLM))
    assert main(["import", str(tmp_path / "v.json"), "--out", str(tmp_path / "imported")]) == 0
    run_folder.write(tmp_path / "run")
    for name in ("imported", "run"):
        RESULT.validate(json.loads((tmp_path / name / "result.json").read_text()))
    RESULT.validate(fakes.result(used=None, reason="no memory").to_dict())
