"""Scores of llama3.1-8b and llama2-70b beside the official script's, value by value, and the time of both, in one run.

    python benchmarks/summaries.py --clone DIR --tokenizer DIR --nltk-data DIR --texts FILE [--rows 13368]
                                   [--workload llama3.1-8b|llama2-70b-99]

DIR of --clone is a checkout of mlcommons/inference; its own script is run. Its `evaluate` and `datasets`, which fetch
code, are stood in for: ROUGE by Google's rouge-score, as `evaluate` calls it. --nltk-data holds nltk's punkt_tab.
--texts: JSON lines with `response`; each is a truth, and the answer is the same text with words changed by chance.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SEED = 20261129
ANSWER_TOKENS = 128
SCRIPTS = {
    "llama3.1-8b": ("language/llama3.1-8b", "evaluation.py", "--model-name"),
    "llama2-70b-99": ("language/llama2-70b", "evaluate-accuracy.py", "--checkpoint-path"),
}
RUNNER = "import sys, runpy, nltk; nltk.download = lambda *_, **__: True; sys.argv = sys.argv[1:]; "
RUNNER += "sys.path.insert(0, '.'); runpy.run_path(sys.argv[0], run_name='__main__')"
EVALUATE = """
from rouge_score import rouge_scorer
NAMES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
class Rouge:
    def compute(self, predictions, references, use_stemmer, use_aggregator):
        scorer = rouge_scorer.RougeScorer(NAMES, use_stemmer=use_stemmer)
        pairs = [scorer.score(truth, text) for truth, text in zip(references, predictions)]
        return {name: [pair[name].fmeasure for pair in pairs] for name in NAMES}
def load(name):
    return Rouge()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("clone", "tokenizer", "nltk-data", "texts"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=13_368)
    parser.add_argument("--workload", choices=SCRIPTS, default="llama3.1-8b")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, log = written(Path(folder), args)
        ours_s, ours = assay(args, data, log)
        theirs_s, theirs = official(Path(folder), args, data, log)
    same = {key: (ours[key], float(value)) for key, value in theirs.items()}
    result = {
        "workload": args.workload,
        "rows": args.rows,
        "ours_s": round(ours_s, 2),
        "official_s": round(theirs_s, 2),
        "ratio": round(theirs_s / ours_s, 1),
        "differ": {key: pair for key, pair in same.items() if pair[0] != pair[1]},
        "values": ours,
    }
    print(json.dumps(result))


def written(folder: Path, args: argparse.Namespace) -> tuple[Path, Path]:
    """(dataset, log), with answers of at most 128 tokens."""
    from assay.mlperf.data import tokenizer
    from assay.mlperf.data.dataset_file import write_columns

    words = tokenizer.load(args.tokenizer)
    with args.texts.open(encoding="utf-8") as lines:
        texts = [json.loads(line)["response"] for line in lines]
    choice = random.Random(SEED)
    truths = [texts[row % len(texts)][:600] for row in range(args.rows)]
    answers = [words.encode(changed(truth, choice))[:ANSWER_TOKENS] for truth in truths]
    columns = {"input": truths, "output": truths, "tok_input": [[1, 5, 6]] * args.rows}
    data = folder / ("set.json" if args.workload == "llama3.1-8b" else "set.pkl")
    write_columns(data, columns)
    log = folder / "mlperf_log_accuracy.json"
    entries = [
        json.dumps({"seq_id": n, "qsl_idx": n, "data": struct.pack(f"<{len(ids)}i", *ids).hex().upper()})
        for n, ids in enumerate(answers)
    ]
    log.write_text("[\n" + ",\n".join(entries) + "\n]\n")
    return data, log


def changed(text: str, choice: random.Random) -> str:
    """Some words left out, some said twice, some others."""
    said: list[str] = []
    for word in text.split(" "):
        said += choice.choices(([word], [], [word, word], ["the"], [f"{word}."]), (70, 10, 5, 10, 5))[0]
    return " ".join(said)


def assay(args: argparse.Namespace, data: Path, log: Path) -> tuple[float, dict[str, float]]:
    asked = ["--log", str(log), "--dataset", str(data), "--tokenizer", str(args.tokenizer), "--json"]
    seconds, text = timed([sys.executable, "-m", "assay", "score", "--workload", args.workload, *asked], {})
    return seconds, dict(json.loads(text)["official"])


def official(folder: Path, args: argparse.Namespace, data: Path, log: Path) -> tuple[float, dict[str, Any]]:
    stand_ins = folder / "stand_ins"
    stand_ins.mkdir()
    (stand_ins / "evaluate.py").write_text(EVALUATE)
    (stand_ins / "datasets.py").write_text("load_dataset = load_from_disk = None\n")
    place, script, model = SCRIPTS[args.workload]
    asked = [script, "--mlperf-accuracy-file", str(log), "--dataset-file", str(data), "--dtype", "int32"]
    env = {"PYTHONPATH": str(stand_ins), "NLTK_DATA": str(args.nltk_data.resolve())}
    command = [sys.executable, "-c", RUNNER, *asked, model, str(args.tokenizer.resolve())]
    seconds, text = timed(command, env, args.clone / place)
    printed = text.splitlines()[-1].replace("np.int64(", "").replace("np.float64(", "").replace(")", "")
    found: dict[str, object] = ast.literal_eval(printed)
    return seconds, found


def timed(command: Sequence[str], env: dict[str, str], cwd: Path | None = None) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, text=True, capture_output=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    return time.perf_counter() - started, done.stdout


if __name__ == "__main__":
    main()
