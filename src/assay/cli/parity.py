"""`assay parity`: compares the engine's tokens with those of Hugging Face transformers in float32."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json, tell_progress
from assay.config import Precision
from assay.engine.config import PRECISIONS
from assay.ground import paths
from assay.ground.errors import ConfigError

if TYPE_CHECKING:
    from assay.bench.answer_quality import Rouge
    from assay.engine.config import EngineConfig
    from assay.engine.parity import ParityReport

HELP = "compare the engine with transformers in float32, token by token"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint", type=paths.source, required=True, help="folder of a checkpoint that the engine runs"
    )
    parser.add_argument("--steps", type=int, default=64, help="new tokens per prompt")
    parser.add_argument("--batch", default="1,7,32", help="batch sizes to run, comma-separated")
    parser.add_argument("--samples", type=int, default=32, help="prompts")
    parser.add_argument(
        "--dataset", type=paths.source, help="take prompts from this dataset instead of random ids"
    )
    parser.add_argument("--workload", help="workload with the dataset's schema (default: mixtral-8x7b)")
    parser.add_argument(
        "--precision", default=Precision.FLOAT32.value, help="precision of the engine; several with commas"
    )
    parser.add_argument(
        "--rouge",
        type=int,
        metavar="TOKENS",
        help="also continue every instruction row of the dataset by TOKENS and hold each precision's ROUGE against "
        "float32's",
    )
    parser.add_argument(
        "--kv-precision", default="auto", help="how keys and values are held: auto (as activations) or int8"
    )
    parser.add_argument(
        "--kernels", default="auto", help="auto, native, portable, avx512, amx, onednn or torch"
    )


def run(args: argparse.Namespace) -> int:
    from assay.engine import parity
    from assay.engine.config import EngineConfig
    from assay.engine.families import read_model_config

    batches, precisions = _batches(args.batch), _precisions(args.precision)
    if args.steps < 1 or args.samples < 1:
        raise ConfigError("--steps and --samples start at 1")
    if args.rouge is not None and (args.dataset is None or args.rouge < 1):
        raise ConfigError("--rouge needs --dataset with instruction rows, and one token or more")
    model = read_model_config(args.checkpoint)
    if args.dataset:
        prompts = _dataset_prompts(args.dataset, args.workload, args.samples)
    else:
        prompts = parity.random_prompts(model, args.samples, args.steps)
    configs = [
        EngineConfig(args.checkpoint, p, kv_precision=args.kv_precision, kernels=args.kernels)
        for p in precisions
    ]
    traces = parity.reference_traces(args.checkpoint, prompts, args.steps, tell_progress)
    reports = [parity.compare(config, traces, batches, tell_progress) for config in configs]
    rouge = _rouge(configs, args.dataset, args.rouge) if args.rouge else []
    holds = all(report.holds for report in reports) and all(r.holds for r in rouge)
    if args.json:
        tree = {
            "holds": holds,
            "reports": [r.to_dict() for r in reports],
            "rouge": [r.to_dict() for r in rouge],
        }
        say_json(json.dumps(tree))
    else:
        say("\n".join([*map(_text, reports), *map(_rouge_text, rouge)]))
        say("parity holds" if holds else "parity does NOT hold")
    return 0 if holds else 1


def _rouge(configs: list[EngineConfig], dataset: Path, tokens: int) -> list[Rouge]:
    from assay.bench import answer_quality

    rows = answer_quality.instruction_rows(dataset)
    return answer_quality.rouge_beside_float32(configs, rows, tokens, tell_progress)


def _rouge_text(rouge: Rouge) -> str:
    tree = rouge.to_dict()
    lines = [f"{rouge.precision}, {rouge.rows} instruction rows"]
    for name, m in tree["metrics"].items():
        low, high = m["change_95"] or (math.nan, math.nan)
        lines.append(
            f"  {name:<18} {m['value']:.2f} %, float32 {m['float32']:.2f} %; change of {low:+.2f} to {high:+.2f} "
            "(95 %, paired)"
        )
    return "\n".join(lines)


def _precisions(words: str) -> list[Precision]:
    try:
        return [Precision(word) for word in words.split(",")]
    except ValueError:
        known = ", ".join(p.value for p in PRECISIONS)
        raise ConfigError(f"--precision {words!r} is not a list of precisions", f"of {known}") from None


def _batches(words: str) -> list[int]:
    try:
        batches = [int(word) for word in words.split(",")]
    except ValueError:
        batches = []
    if not batches or min(batches) < 1:
        raise ConfigError(f"--batch {words!r} is not a list of batch sizes", "--batch 1,7,32")
    return batches


def _dataset_prompts(path: Path, workload: str | None, count: int) -> list[tuple[int, ...]]:
    from assay.mlperf import workloads
    from assay.mlperf.data import dataset

    known = workloads.get(workload) if workload else workloads.USUAL
    return [sample.prompt_ids for sample in dataset.read(path, known.schema)[:count]]


def _text(report: ParityReport) -> str:
    kv = ", KV in int8" if report.kv_precision == "int8" else ""
    lines = [
        f"{report.precision}{kv} ({report.kernels} kernels), {report.prompts} prompts, {report.steps} tokens each"
    ]
    for g in report.generated:
        name = f"batch {g.batch}{' shuffled' if g.shuffled else ''}"
        lines.append(
            f"  {name:<18} {g.same} of {report.prompts} the same, "
            f"{g.close_calls} apart where the reference hardly decides, {len(g.diverged)} diverged"
        )
        lines += [f"    prompt {prompt} diverges at token {step}" for prompt, step in g.diverged[:5]]
    s = report.scored
    lines.append(
        f"  teacher-forced     argmax agreement {100 * s.agreement:.2f} % of {s.steps}, "
        f"KL {s.kl_mean:.2e} nats, largest logit error {s.logit_error_max:.2e} of logits that spread by "
        f"{s.logit_spread:.2f}, widest margin lost {s.lost_margin_max:.2e}"
    )
    return "\n".join(lines)
