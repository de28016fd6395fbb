"""Score an accuracy log: ROUGE, GSM8K, MBXP and tokens per sample, into accuracy.txt beside it."""

from __future__ import annotations

from pathlib import Path

from assay.doors.builtin.call import Answer, BuiltinCall
from assay.ground import files
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.data import dataset, tokenizer
from assay.mlperf.logs import ACCURACY_FILE, names
from assay.mlperf.scoring import log
from assay.mlperf.scoring.programs.grader import Grade
from assay.mlperf.scoring.score import accuracy_text, score

NEEDED = {
    "CM_MLPERF_ACCURACY_RESULTS_DIR": "--result_dir=DIR (with mlperf_log_accuracy.json)",
    "MIXTRAL_CHECKPOINT_PATH": "--env.MIXTRAL_CHECKPOINT_PATH=DIR (for its tokenizer)",
    "CM_DATASET_MIXTRAL_PREPROCESSED_PATH": "--env.CM_DATASET_MIXTRAL_PREPROCESSED_PATH=FILE",
}


def action(call: BuiltinCall) -> Answer:
    missing = [how for key, how in NEEDED.items() if not call.text(key)]
    if missing:
        raise ConfigError("the log, the tokenizer and the references are needed", ", ".join(missing))
    folder, checkpoint, rows = (Path(call.text(key)) for key in NEEDED)
    workload, words = workloads.USUAL, tokenizer.load(checkpoint)
    records = log.read(folder / ACCURACY_FILE, "int32", words.vocab_size)
    samples = dataset.read_scored(rows, workload.schema)
    scores = score(records, samples, words, Grade(), workload.scorers)
    files.write_text(folder / names.ACCURACY_TEXT, accuracy_text(workload.official_results(scores)))
    found = {each.metric: each.value for each in scores}
    for warning in workload.schema.warnings(samples):
        call.say(f"assay: {warning}")
    for each in scores:
        value = f"not measured: {each.reason}" if each.value is None else f"{each.value:.4f} {each.unit}"
        call.say(f"{each.metric}: {value}, n = {each.n}")
    return call.answer({}, {"app_mlperf_inference_accuracy": found})
