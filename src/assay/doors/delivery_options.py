"""The options of `assay bench` around the measurement: submission, checks, cleaning, a container.

They become a `Delivery`, as CM's variables do in `cm_delivery`.
"""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from assay import suts
from assay.config import (
    FETCH_NOTHING,
    BenchmarkConfig,
    ContainerRequest,
    Delivery,
    EarlierRun,
    MayFetch,
    Request,
    Style,
)
from assay.doors import config_options
from assay.doors.run_file import RunFile
from assay.ground import paths
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.record.run_folder import RunFolder

FETCHED = {
    "all": MayFetch(),
    "model": MayFetch(dataset=False),
    "dataset": MayFetch(model=False),
    "nothing": FETCH_NOTHING,
}
"""Words of --fetch."""
STYLES_OWN = frozenset(("full", "refuse_invalid"))
"""Fields that the style decides: those of a file go when another style is asked for."""
SWITCH = argparse.BooleanOptionalAction
"""None when neither form is given: then the file decides that --config names."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    submission = parser.add_argument_group("submission")
    add = submission.add_argument
    add(
        "--submit",
        action=SWITCH,
        help="build a submission tree and check it (default: for the embedded workload only)",
    )
    add("--allow-fake", action=SWITCH, help="accept a run of a fake SUT in the tree, and mark it")
    add("--pack", action=SWITCH, help="make TREE.tar.gz (default: yes)")
    add("--check", action=SWITCH, help="check the tree (default: yes)")
    add(
        "--submission-style",
        choices=("short", "full"),
        help="full: errors of the check exit with 1; short: they are shown (default: full for --style valid)",
    )
    add("--compliance", action=SWITCH, help="closed division: run the compliance test and file it")
    add("--clean-submission", action=SWITCH, help="remove an earlier submission tree first")
    earlier = parser.add_argument_group("a run that --out already holds").add_mutually_exclusive_group()
    earlier.add_argument("--reuse", action="store_true", help="take a finished run as it is")
    earlier.add_argument("--rerun", action="store_true", help="remove it and run again")
    earlier.add_argument(
        "--resume",
        type=paths.source,
        metavar="RUN",
        help="go on with the stopped run in this folder: what is finished is taken, answers are kept",
    )
    add = parser.add_argument_group("container").add_argument
    add("--container", choices=("podman", "docker"), help="measure in a container; scored outside of it")
    add(
        "--container-base",
        metavar="IMAGE",
        help="install into this image (default: mount what is installed here)",
    )
    add("--container-privileged", action=SWITCH, help="give the container every right")
    add("--container-reuse", action=SWITCH, help="go on in a container that an earlier run left")
    add("--container-detached", action=SWITCH, help="start it in the background, then wait for it")
    add("--container-keep", action=SWITCH, help="leave the container for a later run")
    add = parser.add_argument
    add(
        "--gate",
        action=SWITCH,
        help="exit 1 for a missed target, an INVALID run or answers without scores, in any style (default: shown only)",
    )
    add(
        "--unsafe-no-sandbox",
        action=SWITCH,
        help="run generated programs without a sandbox; recorded in the result",
    )
    add("--fetch", choices=tuple(FETCHED), help="what may be fetched where no path is named (default: all)")


def from_args(args: argparse.Namespace) -> Request:
    """The whole request of `assay bench`: flags over the file of --config over what the config makes usual.

    Raises: ConfigError, also for a tree of a fake that is not to be marked.
    """
    file = _file(args)
    config = config_options.over_file(args, file)
    if config.style.value != file.settings.get("style", config.style.value):
        file = file.without(STYLES_OWN)
    delivery = file.delivery_over(_usual(config, args.allow_fake))
    delivery = dataclasses.replace(delivery, **_asked(args, config, delivery))
    if delivery.submit:
        refuse_fake(config, delivery.allow_fake)
    return Request(config, delivery)


def _file(args: argparse.Namespace) -> RunFile:
    """What the flags go over; to resume a run, its own config.json, and its folder is the run folder."""
    if args.resume is None:
        return config_options.read_file(args.config)
    if args.config is not None or getattr(args, "paths.out") is not None:
        raise ConfigError(
            "--resume RUN names the run folder and its settings", "leave --config and --out out of it"
        )
    folder = RunFolder(args.resume)
    if not args.resume.exists():
        hint = paths.near(args.resume) or "the folder of a run that was stopped, as --out named it"
        raise ConfigError(f"there is no folder {folder}", hint)
    if not folder.config.is_file():
        goes_on = f"the same `assay {folder.made_by}` with --out {folder} goes on with its record"
        raise ConfigError(
            f"{folder} holds no config.json: no run of Assay began there",
            goes_on if folder.made_by else "another --resume RUN",
        )
    setattr(args, "paths.out", str(args.resume))
    return config_options.read_file(folder.config)


def _usual(config: BenchmarkConfig, allow_fake: bool | None) -> Delivery:
    """Where nothing is said: a demonstration is submitted, and the valid style has errors fail the job."""
    is_in_no_round = workloads.get(config.workload).own_rules is not None
    is_valid_style = config.style is Style.VALID
    return Delivery(
        submit=is_in_no_round and not is_barred(config, bool(allow_fake)),
        full=is_valid_style,
        check=True,
        pack=True,
        refuse_invalid=is_valid_style,
    )


def _asked(args: argparse.Namespace, config: BenchmarkConfig, over: Delivery) -> dict[str, Any]:
    """Fields of Delivery that the command line names."""
    switches = [
        "submit",
        "allow_fake",
        "pack",
        "check",
        "compliance",
        "clean_submission",
        "gate",
        "unsafe_no_sandbox",
    ]
    found = {name: value for name in switches if (value := getattr(args, name)) is not None}
    if args.submission_style:
        found["full"] = args.submission_style == "full"
    if earlier := earlier_run(config, reuse=args.reuse, rerun=args.rerun):
        found["earlier_run"] = earlier
    if args.resume is not None:
        found["earlier_run"] = EarlierRun.RESUME
    if args.fetch:
        found["may_fetch"] = FETCHED[args.fetch]
    if inside := _container(args):
        found["container"] = dataclasses.replace(over.container or ContainerRequest(), **inside)
    return found


def earlier_run(config: BenchmarkConfig, *, reuse: bool, rerun: bool) -> EarlierRun | None:
    """What is done with a run that the run folder holds; None where neither is asked for.

    Raises: ConfigError for both at once, and where no run folder is named.
    """
    if not (reuse or rerun):
        return None
    if reuse and rerun:
        raise ConfigError("--reuse takes an earlier run and --rerun removes it", "one of the two")
    if config.paths.out is None:
        raise ConfigError("no run folder is named that could hold an earlier run", "--out DIR")
    return EarlierRun.REPLACE if rerun else EarlierRun.REUSE


def is_barred(config: BenchmarkConfig, allow_fake: bool) -> bool:
    """Whether the SUT is a fake that must not be submitted."""
    return suts.of(config).is_fake and not allow_fake


def refuse_fake(config: BenchmarkConfig, allow_fake: bool) -> None:
    """Raises: ConfigError for a fake SUT whose tree is not to be marked."""
    if is_barred(config, allow_fake):
        raise ConfigError(
            f"the {config.sut} SUT is a fake: its run cannot be submitted",
            "run with a real SUT, mark the tree with --allow-fake, or leave it out with --no-submit",
        )


def extra_flags(delivery: Delivery) -> tuple[str, ...]:
    """Options of `assay bench` that say where the same run is made, beside those of its config."""
    flags: list[str] = []
    if (container := delivery.container) is not None:
        flags += ["--container", container.engine] if container.engine else []
        flags += ["--container-base", container.base] if container.base else []
        flags += ["--container-privileged"] if container.privileged else []
    return (*flags, *(["--unsafe-no-sandbox"] if delivery.unsafe_no_sandbox else []))


def _container(args: argparse.Namespace) -> dict[str, Any]:
    """Fields of ContainerRequest that the command line names."""
    flags = {"engine": args.container, "base": args.container_base}
    for name in ("privileged", "reuse", "detached", "keep"):
        flags[name] = getattr(args, f"container_{name}")
    return {name: value for name, value in flags.items() if value is not None}
