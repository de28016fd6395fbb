"""process,mlperf,accuracy: the variation of the dataset says whose metrics are scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.doors import builtin
from assay.doors.builtin.call import BuiltinCall
from assay.doors.builtin.process_mlperf_accuracy.action import DTYPES, WORKLOADS, action
from assay.doors.builtin.published import chosen
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.recipes.model.selection import Selection
from tests.end_to_end import rows

META = yaml.safe_load((builtin.HERE / "process_mlperf_accuracy" / "meta.yaml").read_text())


def call(tags: str, said: list[str], **env: Any) -> BuiltinCall:
    def deliver(*_: object) -> Any:
        raise AssertionError("no benchmark is run")

    return BuiltinCall(Selection.parse(tags), env, {}, {}, "CM_", said.append, deliver)


@pytest.mark.parametrize(
    ("variations", "workload"),
    [
        (set(), "mixtral-8x7b"),
        ({"openorca-gsm8k-mbxp"}, "mixtral-8x7b"),
        ({"open-orca", "int64"}, "llama2-70b-99"),
        ({"cnndm_llama_3", "datacenter"}, "llama3.1-8b"),
        ({"cnndm_llama_3", "edge"}, "llama3.1-8b-edge"),
        ({"dataset_llama3"}, "llama3.1-405b"),
    ],
)
def test_variations_say_the_workload(variations: set[str], workload: str) -> None:
    assert chosen(WORKLOADS, variations) == workload


def test_every_workload_and_type_of_the_tables_is_there_and_has_its_variation() -> None:
    assert set(WORKLOADS.values()) <= set(workloads.TABLE)
    words = {word for words in WORKLOADS for word in words.split(",") if word}
    assert words | set(DTYPES) <= set(META["variations"])


def test_what_is_missing_is_asked_for_in_the_workloads_own_words() -> None:
    with pytest.raises(ConfigError) as caught:
        action(call("process,mlperf,accuracy,_open-orca", [], LLAMA2_CHECKPOINT_PATH="/m"))
    assert "LLAMA2_CHECKPOINT_PATH" not in caught.value.hint
    assert "--result_dir=DIR" in caught.value.hint
    assert "CM_DATASET_OPENORCA_PREPROCESSED_PATH=FILE" in caught.value.hint


def test_a_log_of_summaries_is_scored_by_the_metrics_of_llama3_1_8b(tmp_path: Path) -> None:
    pytest.importorskip("punkt")
    words = rows.tokenizer(tmp_path / "words")
    ids = rows.encode(words, "5 ")
    data = tmp_path / "cnn.json"
    row = {"instruction": "", "input": "5", "tok_input": ids, "output": "5 "}
    data.write_text(json.dumps([row, row]))
    hexed = b"".join(i.to_bytes(4, "little") for i in ids).hex().upper()
    logged = [{"seq_id": n, "qsl_idx": n, "data": hexed} for n in range(2)]
    (tmp_path / "mlperf_log_accuracy.json").write_text("[\n" + ",\n".join(map(json.dumps, logged)) + "\n]\n")
    said: list[str] = []
    env = {
        "CM_MLPERF_ACCURACY_RESULTS_DIR": str(tmp_path),
        "LLAMA3_CHECKPOINT_PATH": str(words),
        "CM_DATASET_CNNDM_EVAL_PATH": str(data),
    }
    answer = action(call("process,mlperf,accuracy,_cnndm_llama_3,_int32", said, **env))
    scores = answer["new_state"]["app_mlperf_inference_accuracy"]
    assert {"rouge1", "rouge2", "rougeL", "rougeLsum", "gen_len"} == set(scores)
    assert scores["rouge1"] == pytest.approx(100.0)
    assert "'rougeLsum': " in (tmp_path / "accuracy.txt").read_text()
