"""Score an accuracy log by the metrics of its workload, into accuracy.txt beside it.

The variation of the dataset says the workload, that of the precision the type of the logged ids.
"""

from __future__ import annotations

from pathlib import Path

from assay.doors import cm_artifacts
from assay.doors.builtin.call import Answer, BuiltinCall
from assay.doors.builtin.published import chosen
from assay.ground import files
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.data import dataset, tokenizer
from assay.mlperf.logs import ACCURACY_FILE, names
from assay.mlperf.scoring import log
from assay.mlperf.scoring.programs.grader import Grade
from assay.mlperf.scoring.score import accuracy_text, score

RESULTS = "CM_MLPERF_ACCURACY_RESULTS_DIR"
WORKLOADS = {
    "": "mixtral-8x7b",
    "open-orca": "llama2-70b-99",
    "cnndm": "gptj-99",
    "cnndm_llama_3": "llama3.1-8b",
    "cnndm_llama_3,edge": "llama3.1-8b-edge",
    "dataset_llama3": "llama3.1-405b",
}
"""Variation -> the workload whose scorers are asked; those of the accuracy levels of one model are the same."""
DTYPES = {"int64": "int64", "float32": "float"}
"""Variation -> type of the logged ids, where it is not int32."""


def action(call: BuiltinCall) -> Answer:
    asked = set(call.selection.variations)
    workload = workloads.get(chosen(WORKLOADS, asked))
    folder, checkpoint, rows = _paths(call, workload.name)
    words = tokenizer.load(checkpoint)
    dtype = next((dtype for name, dtype in DTYPES.items() if name in asked), "int32")
    records = log.read(folder / ACCURACY_FILE, dtype, words.vocab_size)
    samples = dataset.read_scored(rows, workload.schema)
    scores = score(records, samples, words, Grade(), workload.scorers)
    files.write_text(folder / names.ACCURACY_TEXT, accuracy_text(workload.official_results(scores)))
    for warning in workload.schema.warnings(samples):
        call.say(f"assay: {warning}")
    for each in scores:
        value = f"not measured: {each.reason}" if each.value is None else f"{each.value:.4f} {each.unit}"
        call.say(f"{each.metric}: {value}, n = {each.n}")
    return call.answer({}, {"app_mlperf_inference_accuracy": {each.metric: each.value for each in scores}})


def _paths(call: BuiltinCall, workload: str) -> tuple[Path, Path, Path]:
    """Folder of the log, tokenizer, references. Raises: ConfigError with the options that give what is missing."""
    keys = (
        ((RESULTS,), "--result_dir=DIR (with mlperf_log_accuracy.json)"),
        (cm_artifacts.checkpoint_keys(workload), "--env.{}=DIR (for its tokenizer)"),
        (cm_artifacts.dataset_keys(workload), "--env.{}=FILE"),
    )
    missing = [how.format(each[0]) for each, how in keys if not call.text(*each)]
    if missing:
        raise ConfigError("the log, the tokenizer and the references are needed", ", ".join(missing))
    folder, checkpoint, rows = (Path(call.text(*each)) for each, _ in keys)
    return folder, checkpoint, rows
