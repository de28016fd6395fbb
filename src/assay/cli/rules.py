"""`assay rules`: prints what a round demands of a workload, with sources."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json

if TYPE_CHECKING:
    from assay.mlperf.rounds.round import Round
    from assay.mlperf.rounds.round_workload import RoundWorkload

HELP = "targets, limits, counts and seeds of a round, with sources"
ALLOWED = (
    "any framework, batching of any kind, paged KV cache, sorting within one pass of the dataset",
    "any precision made reproducibly from the given weights and calibration set",
    "untimed: conversion of text to token ids with the reference tokenizer, padding, work before LoadGen starts",
)
FORBIDDEN = (
    "caching of queries, answers or KV between queries (prefix caching included), merging of identical queries",
    "pruning or replacing weights, retraining, another maximum output length",
    "benchmark detection, statistics of the dataset, use of LoadGen's seeds to foresee arrivals",
)
RULES_SOURCE = "inference_rules: model equivalence, constraints for the closed division, LoadGen operation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "workload", nargs="?", help="official name, as mixtral-8x7b; without it the list of them"
    )
    parser.add_argument("--round", help="default: the newest that holds the workload, or mixtral-8x7b")


def run(args: argparse.Namespace) -> int:
    import dataclasses
    import json

    from assay.ground.errors import ConfigError
    from assay.mlperf import workloads
    from assay.mlperf.rounds import round as rounds

    if args.workload in rounds.names() and workloads.find(args.workload) is None:
        raise ConfigError(
            f"{args.workload} is a round, not a workload", f"assay rules --round {args.workload}"
        )
    round_ = workloads.round_of(args.round, *filter(None, [args.workload]))
    found = _rules(args.workload, round_) if args.workload else {}
    if args.json:
        shown = {"round": dataclasses.asdict(round_)}
        shown["round"]["workloads"] = (
            {name: dataclasses.asdict(rules) for name, rules in found.items()}
            if found
            else list(round_.workloads)
        )
        say_json(json.dumps(shown, default=dict))
    else:
        about = [line for name, rules in found.items() for line in [*_workload(name, rules, round_), ""]]
        say("\n".join([*_round(round_), "", *([*about, *_allowed()] if found else _list(round_))]))
    return 0


def _rules(workload: str, round_: Round) -> dict[str, RoundWorkload]:
    """The round's rules of a workload under its name. One that is in no round has its own, which its style decides.

    Raises: ConfigError where there are none.
    """
    from assay.config import Style
    from assay.mlperf import workloads

    known = workloads.find(workload)
    if workload in round_.workloads or known is None or known.own_rules is None:
        rules = round_.workload(workload)
        return {rules.key: rules}
    return {
        f"{workload} --style {Style.TEST.value}": known.own_rules(Style.TEST),
        f"{workload} --style {Style.FAST.value} or {Style.VALID.value}": known.own_rules(Style.VALID),
    }


def _round(round_: Round) -> list[str]:
    seeds = round_.seeds
    place = "in measurements/ and compliance/" if round_.layout == "old" else "inside results/"
    wheels = ", ".join(wheel.version for wheel in round_.wheels) or "none known"
    return [
        f"round {round_.name}, deadline {round_.deadline}",
        f"  seeds         qsl {seeds.qsl}, sample_index {seeds.sample_index}, schedule {seeds.schedule}",
        f"                ({round_.sources['seeds']})",
        f"  LoadGen       {wheels} (wheels that carry the seeds)",
        f"  duration      at least {round_.min_duration_ms / 1000:g} s ({round_.sources['run']})",
        f"  tree          {round_.code_folder}/; settings and tests {place} ({round_.sources['tree']})",
    ]


def _list(round_: Round) -> list[str]:
    lines = [f"  {key:<28}  {rules.title}" for key, rules in round_.workloads.items()]
    lines += [f"  {key:<28}  refused: {why}" for key, why in round_.refused.items()]
    return [*lines, f"  not judged by Assay: {', '.join(round_.not_judged)}"]


def _workload(name: str, rules: RoundWorkload, round_: Round) -> list[str]:
    is_official = rules.key in round_.workloads
    needed = ", ".join(rules.required) + (f" and {' or '.join(rules.one_of)}" if rules.one_of else "")
    lines = [
        f"{name}: {rules.title} ({', '.join(rules.suites)})",
        f"  scenarios     closed needs {needed or ', '.join(rules.required_edge)}"
        if is_official
        else f"  scenarios     {', '.join(rules.result_key)}",
        f"  samples       {rules.dataset_samples} in the set, {rules.performance_samples} held ready,"
        f" Offline at least {rules.offline_min_queries}",
    ]
    if rules.max_new_tokens is not None:
        longest = rules.accuracy_max_new_tokens
        accuracy = f" (accuracy: {longest})" if longest is not None else ""
        lines.append(
            f"  answers       {rules.min_new_tokens} to {rules.max_new_tokens}{accuracy} new tokens, {rules.decoding}"
        )
    lines += [f"  dataset       {rules.dataset_file}"] if rules.dataset_file else []
    lines += (
        [f"                {rules.accuracy_dataset_file} (accuracy)"] if rules.accuracy_dataset_file else []
    )
    lines += [f"  superseded    {file}" for file in rules.superseded_files]
    lines += [
        f"  result        {rules.unit_of(name)} ({key} in {name})" for name, key in rules.result_key.items()
    ]
    for name, limit in rules.latency.items():
        lines.append(
            f"  {name:<12}  p99 TTFT below {limit.ttft_ms:g} ms, p99 TPOT below {limit.tpot_ms:g} ms"
        )
    lines += [
        f"  compliance    {', '.join(rules.compliance) or 'none'}",
        f"  targets{' (closed and network)' if is_official else ''}",
    ]
    for target in rules.targets.values():
        low = f">= {target.low:.8g}" if target.low is not None else ""
        high = f"<= {target.high:.8g}" if target.high is not None else ""
        gate = " and ".join(part for part in (low, high) if part)
        lines.append(f"    {target.metric:<18} {gate:<26} {target.unit} ({target.source})")
    if rules.paired_loss is not None:
        most = f"{100 * rules.paired_loss:g} %"
        lines.append(
            f"    over the whole set a one-sided paired test decides: at most {most} of a metric lost"
        )
    lines += [f"  note          {note}" for note in rules.notes]
    return [*lines, f"  source        {rules.source}"]


def _allowed() -> list[str]:
    lines = ["  allowed", *(f"    {line}" for line in ALLOWED)]
    return [*lines, "  forbidden", *(f"    {line}" for line in FORBIDDEN), f"    ({RULES_SOURCE})"]
