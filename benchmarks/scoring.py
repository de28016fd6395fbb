"""Speed of scoring beside the official way, on this machine.

    python benchmarks/scoring.py [--rows 15000] [--tokenizer DIR] [--mbxp DIR] [--programs 6]

Text: a made-up run of official size (a third each of GSM8K, OpenOrca and MBXP; the 10,000 text samples are scored),
from reading the files to the scores; the official way (slow tokenizer's decode and `rouge-score`, one process) is
timed on a part and scaled. Programs: canonical solutions of MBXP's files in --mbxp (or $ASSAY_REAL_DATA/mbxp), ours
in the sandbox and by the official commands without one, alternating, both with one worker per core.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
SEED = 20261123
ANSWER_TOKENS = {"GSM8K": 130, "OpenOrca": 206, "MBXP": 99}
"""Mean length of a reference answer. Source: mixtral-8x7b reference, README, token statistics."""
OFFICIAL_PART = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=15_000)
    parser.add_argument(
        "--tokenizer", type=Path, help="folder with a tokenizer.model (default: one trained here)"
    )
    real = os.environ.get("ASSAY_REAL_DATA")
    parser.add_argument("--mbxp", type=Path, default=Path(real) / "mbxp" if real else None)
    parser.add_argument("--programs", type=int, default=6, help="programs of each language")
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tokenizer_folder = args.tokenizer or trained_tokenizer(Path(folder))
        result: dict[str, Any] = {"cores": os.cpu_count(), "load_before": os.getloadavg()[0], "seed": SEED}
        result["text"] = text_speed(Path(folder), tokenizer_folder, args.rows)
    if args.mbxp is None:
        result["programs"] = "not measured: give --mbxp"
    else:
        result["programs"] = program_speed(canonical_programs(args.mbxp, args.programs), args.rounds)
    print(json.dumps(result))


def words(choice: random.Random, count: int) -> str:
    """English-looking text with a long tail of words."""
    letters = "etaoinshrdlucmfwypvbgk"
    vocabulary = ["".join(choice.choices(letters, k=choice.randint(2, 9))) for _ in range(3000)]
    return " ".join(choice.choices(vocabulary, weights=range(3000, 0, -1), k=count))


def trained_tokenizer(folder: Path) -> Path:
    import sentencepiece

    (folder / "corpus").write_text("\n".join(words(random.Random(n), 40) for n in range(300)))
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "corpus"),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=4000,
        model_type="bpe",
        byte_fallback=True,
        minloglevel=2,
    )
    return folder


def text_speed(folder: Path, tokenizer_folder: Path, rows: int) -> dict[str, Any]:
    from assay.mlperf.data import dataset, tokenizer
    from assay.mlperf.data.dataset_file import write_columns
    from assay.mlperf.scoring import log
    from assay.mlperf.scoring.programs.program import Grading, ProgramVerdict
    from assay.mlperf.scoring.score import score
    from assay.mlperf.workloads.datasets.mixtral_rows import SCHEMA
    from assay.mlperf.workloads.scorers.mixtral_scorers import SCORERS

    encoder = tokenizer.load(tokenizer_folder)
    made = [made_row(n, rows, encoder) for n in range(rows)]
    write_columns(folder / "set.pkl", dataset.columns_of(made))
    answers = [row["tok_ref_output"] for row in made]
    entries = [
        {"seq_id": n, "qsl_idx": n, "data": struct.pack(f"<{len(ids)}i", *ids).hex().upper()}
        for n, ids in enumerate(answers)
    ]
    (folder / "log.json").write_text("[\n" + ",\n".join(map(json.dumps, entries)) + "\n]\n")

    seconds: dict[str, float] = {}
    started, cpu_started = time.perf_counter(), time.process_time()
    words_ = timed(seconds, "load_tokenizer", lambda: tokenizer.load(tokenizer_folder))
    samples = timed(seconds, "read_dataset", lambda: dataset.read(folder / "set.pkl", SCHEMA))
    records = timed(seconds, "read_log", lambda: log.read(folder / "log.json", "int32", words_.vocab_size))
    ungraded = ProgramVerdict(True)
    timed(
        seconds,
        "score",
        lambda: score(records, samples, words_, lambda p: Grading([ungraded] * len(p)), SCORERS),
    )
    total, cpu = time.perf_counter() - started, time.process_time() - cpu_started
    official = official_text(tokenizer_folder, made)
    return {
        "rows": rows,
        "text_rows": rows * 2 // 3,
        "seconds": total,
        "parts": seconds,
        "cpu_s": cpu,
        "official_cpu_s": official,
    }


def made_row(number: int, rows: int, encoder: Any) -> dict[str, Any]:
    subset = list(ANSWER_TOKENS)[number * 3 // rows]
    choice = random.Random(SEED + number)
    text = words_cached(choice, ANSWER_TOKENS[subset] // 3)
    truth = {"GSM8K": "42", "OpenOrca": words_cached(choice, 60), "MBXP": "check"}[subset]
    return {
        "dataset": subset,
        "id": f"python_{number}",
        "input": "<s> question",
        "gt_output": truth,
        "tok_input": [1] * 200,
        "tok_ref_output": encoder.encode(f"{text} The answer is 42." if subset == "GSM8K" else text),
        "tok_stop_sequence": [2],
    }


def words_cached(choice: random.Random, count: int, _pool: list[str] = []) -> str:  # noqa: B006
    if not _pool:
        _pool.extend(words(random.Random(SEED), 20_000).split())
    return " ".join(choice.choices(_pool, k=count))


def timed(seconds: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    made = work()
    seconds[name] = round(time.perf_counter() - started, 3)
    return made


def official_text(tokenizer_folder: Path, made: Sequence[dict[str, Any]]) -> float | str:
    """CPU seconds of the official way for all OpenOrca rows (decode one by one, rouge-score), from a part."""
    try:
        from rouge_score import rouge_scorer
    except ImportError:
        return "not measured: rouge-score is not installed"
    from assay.mlperf.data import tokenizer

    orca = [row for row in made if row["dataset"] == "OpenOrca"]
    decoder = tokenizer.load(tokenizer_folder)
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=True)
    started = time.process_time()
    for row in orca[:OFFICIAL_PART]:
        scorer.score(row["gt_output"], decoder.decode([row["tok_ref_output"]])[0])
    return round((time.process_time() - started) * len(orca) / min(OFFICIAL_PART, len(orca)), 1)


def canonical_programs(folder: Path, count: int) -> list[Any]:
    from assay.mlperf.scoring.programs.mbxp import GRADED
    from assay.mlperf.scoring.programs.program import Program

    programs = []
    for path in sorted(folder.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        rows = [row for row in rows if row["canonical_solution"] and row["language"] in GRADED]
        for row in random.Random(SEED).sample(rows, min(count, len(rows))):
            solution = row["prompt"] + row["canonical_solution"]
            solution = solution.lstrip() if row["language"] == "python" else solution
            programs.append(Program(row["language"], row["entry_point"], solution, row["test"]))
    return programs


def program_speed(programs: Sequence[Any], rounds: int) -> dict[str, Any]:
    from assay.mlperf.scoring.programs.grader import Grade

    Grade()([program for program in programs if program.language == "cpp"][:1])  # the header, built once
    ours: list[float] = []
    official: list[float] = []
    for _ in range(rounds):
        started = time.perf_counter()
        verdicts = [verdict.passed for verdict in Grade()(programs).verdicts]
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            theirs = list(pool.map(official_verdict, programs))
        official.append(time.perf_counter() - started)
    ratio = [theirs_s / ours_s for theirs_s, ours_s in zip(official, ours)]
    return {
        "programs": len(programs),
        "ours_per_s": [round(len(programs) / s, 2) for s in ours],
        "official_per_s": [round(len(programs) / s, 2) for s in official],
        "ratio": [round(r, 2) for r in ratio],
        "same_verdicts": sum(a == b for a, b in zip(verdicts, theirs)),
        "passed": sum(v is True for v in verdicts),
    }


def official_verdict(program: Any) -> bool:
    """mxeval's commands, without a sandbox: only for the canonical solutions that come with the data."""
    from assay.mlperf.scoring.programs.language import content
    from assay.mlperf.scoring.programs.tools import node_modules

    suffix = {
        "cpp": "cpp",
        "javascript": "js",
        "php": "php",
        "python": "py",
        "ruby": "rb",
        "typescript": "ts",
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"t.{suffix[program.language]}"
        file.write_bytes(content(program))
        env = {**os.environ, "NODE_PATH": str(node_modules())}

        def status(*argv: str) -> int:
            done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, timeout=120, check=False)
            return done.returncode

        if program.language == "typescript":
            tsc = ("npx", "--prefix", str(node_modules().parent), "tsc")
            if status(*tsc, str(file), "--target", "es5", "--lib", "es2016") != 2:
                return False
            return status("node", str(file.with_suffix(".js"))) == 0
        if program.language == "cpp":
            return status("g++", str(file), "-o", "t") == 0 and status("./t") == 0
        tools = {"javascript": "node", "php": "php", "python": sys.executable, "ruby": "ruby"}
        return status(tools[program.language], str(file)) == 0


if __name__ == "__main__":
    main()
