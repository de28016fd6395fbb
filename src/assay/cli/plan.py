"""`assay plan`: prints the cost of `assay bench` with the same options, and what blocks it."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from assay.cli.progress import duration
from assay.cli.terminal import say, say_json
from assay.config import BenchmarkConfig, Request
from assay.doors import config_options, delivery_options, sut_options
from assay.ground import memory
from assay.ground.count import size_text
from assay.ground.printable import one_line

if TYPE_CHECKING:
    from assay.bench.model_sizes import ModelSizes
    from assay.bench.plan import Plan

HELP = "what bench would do: bytes, disk, memory, minutes, blockers; downloads and runs nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    config_options.add_arguments(parser)
    delivery_options.add_arguments(parser)
    parser.add_argument("--yes", action="store_true", help="as for bench; a plan fetches nothing")
    parser.add_argument(
        "--sizes",
        action="store_true",
        help="weights by precision and keys and values of every published model, and what fits here",
    )
    parser.add_argument(
        "--machines",
        action="store_true",
        help="instead of the plan: tokens/s of the engine on this processor with other memories and disks",
    )
    sut_options.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """The exit code: 0 when bench could start, else the exit code that bench would have."""
    if args.sizes:
        return _sizes(args.json)
    return _machines(args) if args.machines else show(delivery_options.from_args(args), args.json)


def show(request: Request, is_json: bool) -> int:
    """Prints the plan. Returns the exit code that bench would have, or 0."""
    from assay.bench import plan as plans
    from assay.doors.hub_settings import hub_of

    made = plans.make(request, hub_of(os.environ))
    if is_json:
        say_json(json.dumps(plans.to_dict(made)))
    else:
        say(render(made))
    return made.blockers[0].exit_code if made.blockers else 0


def _machines(args: argparse.Namespace) -> int:
    from assay.bench import machines

    config = config_options.from_args(args)
    name, tree = _model_config(config)
    kv_precision = str(config.sut_options.get("kv_precision", "auto"))
    found = machines.table(tree, config.precision, kv_precision)
    if args.json:
        asked = {"model": name, "precision": config.precision.value, "kv_precision": kv_precision}
        say_json(json.dumps({**asked, "machines": machines.to_list(found)}))
        return 0
    disks = "".join(f"{f'{rate:g} GB/s':>10}" for rate in machines.DISKS)
    kv = " with keys and values in int8" if kv_precision == "int8" else ""
    say(
        f"tokens/s of {one_line(name)} in {config.precision.value}{kv} on this processor, by memory and disk:"
    )
    say(f"  {'memory':>8} {'batch':>6}  {'read a step':>12} {'experts kept':>13}{disks}")
    for each in found:
        speeds = "".join(f"{speed:>10.3g}" for speed in each.tokens_per_s) or "  cannot run"
        step = f"{each.step_gb:.1f} GB" if each.step_gb else "nothing"
        say(f"  {each.memory_gib:>4} GiB {each.batch:>6}  {step:>12} {each.resident_experts:>13}{speeds}")
    return 0


def _model_config(config: BenchmarkConfig) -> tuple[str, Mapping[str, Any]]:
    """Name and config.json of the checkpoint asked for, else of the workload's model. Raises: ConfigError where its
    shape is not known, ArtifactError for a checkpoint that cannot be read."""
    from assay.bench import fetching
    from assay.ground import model_folder
    from assay.ground.errors import ConfigError
    from assay.mlperf import workloads
    from assay.mlperf.run import job

    workload = workloads.get(config.workload)
    folder = job.checkpoint_of(fetching.with_checkpoint(config), workload)
    if folder is not None:
        name = str(config.paths.checkpoint) if config.paths.checkpoint else workload.name
        return name, model_folder.read_config(folder)
    model = workloads.model_of(workload)
    if model is None or not model.has_shape:
        raise ConfigError(
            f"the engine does not run the model of {workload.name}", "another workload, or --checkpoint DIR"
        )
    return model.name, model.config


def render(plan: Plan) -> str:
    rows = [("workload", f"{plan.workload}, {plan.sut} SUT, {plan.precision}")]
    if plan.samples is not None:
        length = f", about {plan.answer_tokens:.0f} tokens an answer" if plan.answer_tokens else ""
        rows.append(("samples", f"{plan.samples:,}{length}"))
    if plan.parameters is not None and plan.weight_bytes is not None:
        rows.append(
            ("weights", f"{plan.parameters:,} parameters, {size_text(plan.weight_bytes)} in {plan.precision}")
        )
    if plan.sizes is not None:
        rows += _model(plan.sizes)
    rows.append(("download", size_text(plan.download_bytes)))
    rows.append(("read", size_text(plan.read_bytes)))
    rows.append(("disk", size_text(plan.disk_bytes)))
    needed = "not known" if plan.ram_bytes is None else f"{size_text(plan.ram_bytes)} at most"
    rows.append(("memory", f"{needed}, {size_text(plan.ram_free_bytes)} free"))
    if plan.seconds is not None:
        split = ", ".join(f"{name} {duration(seconds)}" for name, seconds in plan.parts.items())
        most = duration(plan.seconds)
        least = most if plan.seconds_at_least is None else duration(plan.seconds_at_least)
        rows.append(("time", f"{most if least == most else f'{least} to {most}'} ({split})"))
    else:
        other = "see the notes" if plan.samples is not None else "the dataset is not here"
        rows.append(("time", f"not known: {'see BLOCKED' if plan.blockers else other}"))
    if plan.seconds is not None and plan.seconds_at_most is not None:
        rows.append(("", f"{duration(plan.seconds_at_most)} if every answer were as long as allowed"))
    lines = [f"  {name:<9} {text}" for name, text in rows]
    lines += [f"  note      {note}" for note in plan.notes]
    for blocker in plan.blockers:
        lines += [
            f"  BLOCKED   {blocker.message}",
            *([f"            try: {blocker.hint}"] if blocker.hint else []),
        ]
    if plan.could_run:
        lines.append(f"  instead   fit here, one answer at a time: {', '.join(plan.could_run)}")
    return "\n".join(["plan:", *lines])


def _model(sizes: ModelSizes) -> list[tuple[str, str]]:
    by_size: dict[str, list[str]] = {}
    for precision, count in sizes.weight_bytes.items():
        by_size.setdefault(size_text(count), []).append(precision)
    kinds = ", ".join(f"{size} in {' and '.join(names)}" for size, names in by_size.items())
    token, longest = size_text(sizes.kv_bytes_per_token), size_text(sizes.longest_kv_bytes)
    cache = f"{token} a token in 16 bits, {longest} for the longest"
    return [
        ("model", f"{sizes.source}: {size_text(sizes.stored_bytes)} as published"),
        ("", kinds),
        ("kv", f"{cache} ({sizes.longest_tokens:,} tokens)"),
    ]


def _sizes(as_json: bool) -> int:
    """Prints the table of all published models. Plans no job."""
    from assay.bench import model_sizes

    free = memory.available()
    found = model_sizes.table()
    if as_json:
        models = [{**each.to_dict(), "fits_here": each.fitting(free)} for each in found]
        say_json(json.dumps({"ram_free_bytes": free, "models": models}))
        return 0
    say(f"published models, and what fits into the {size_text(free)} of memory that are free here:")
    say(
        f"  {'workload':<27} {'B':>6} {'published':>10} {'bfloat16':>9} {'int8':>9} {'int4':>9} "
        f"{'kv/token':>9}  fits here"
    )
    for each in found:
        weights = "".join(
            f"{size_text(each.weight_bytes[name]):>10}" for name in ("bfloat16", "int8", "int4")
        )
        fits = "; ".join(f"{sut}: {', '.join(able)}" for sut, able in each.fitting(free).items())
        say(
            f"  {each.workload:<27} {each.parameters / 1e9:>6.1f} {size_text(each.stored_bytes):>10}{weights}"
            f" {size_text(each.kv_bytes_per_token):>9}  {fits or 'no'}"
        )
    say("one sequence of the longest at a time is counted; `assay plan WORKLOAD` counts the batch asked for")
    say(
        "what does not fit: a server that holds it (--sut endpoint --url URL); the engine reads experts from disk"
    )
    return 0
