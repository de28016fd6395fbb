"""The options of `assay bench` around the measurement: submission, checks, cleaning, a container.

They become a `Delivery`, as CM's variables do in `cm_delivery`.
"""

from __future__ import annotations

import argparse

from assay import suts
from assay.config import BenchmarkConfig, ContainerRequest, Delivery, EarlierRun, Request, Style
from assay.doors import native
from assay.ground.errors import ConfigError
from assay.mlperf import workloads


def add_arguments(parser: argparse.ArgumentParser) -> None:
    submission = parser.add_argument_group("submission")
    add = submission.add_argument
    add(
        "--submit",
        action=argparse.BooleanOptionalAction,
        help="build a submission tree and check it (default: for the embedded workload only)",
    )
    add("--allow-fake", action="store_true", help="accept a run of a fake SUT in the tree, and mark it")
    add("--no-pack", dest="pack", action="store_false", help="leave TREE.tar.gz out")
    add("--no-check", dest="check", action="store_false", help="do not check the tree")
    add(
        "--submission-style",
        choices=("short", "full"),
        help="full: errors of the check exit with 1; short: they are shown (default: full for --style valid)",
    )
    add("--compliance", action="store_true", help="closed division: run the compliance test and file it")
    add("--clean-submission", action="store_true", help="remove an earlier submission tree first")
    earlier = parser.add_argument_group("a run that --out already holds").add_mutually_exclusive_group()
    earlier.add_argument("--reuse", action="store_true", help="take a finished run as it is")
    earlier.add_argument("--rerun", action="store_true", help="remove it and run again")
    add = parser.add_argument_group("container").add_argument
    add("--container", choices=("podman", "docker"), help="measure in a container; scored outside of it")
    add(
        "--container-base",
        metavar="IMAGE",
        help="install into this image (default: mount what is installed here)",
    )
    add("--container-privileged", action="store_true", help="give the container every right")
    add("--container-reuse", action="store_true", help="go on in a container that an earlier run left")
    add("--container-detached", action="store_true", help="start it in the background, then wait for it")
    add("--container-keep", action="store_true", help="leave the container for a later run")
    parser.add_argument(
        "--gate",
        action="store_true",
        help="exit 1 for a missed target or an INVALID run, in any style (default: shown only)",
    )
    parser.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run generated programs without a sandbox; recorded in the result",
    )


def from_args(args: argparse.Namespace) -> Request:
    """The whole request of `assay bench`. Raises: ConfigError, also for a tree of a fake that is not to be marked."""
    config = native.from_args(args)
    if args.submit:
        refuse_fake(config, args.allow_fake)
    if (args.reuse or args.rerun) and config.paths.out is None:
        raise ConfigError("no run folder is named that could hold an earlier run", "--out DIR")
    is_in_no_round = workloads.get(config.workload).own_rules is not None
    by_default = is_in_no_round and not is_barred(config, args.allow_fake)
    is_valid_style = config.style is Style.VALID
    delivery = Delivery(
        submit=args.submit if args.submit is not None else by_default,
        allow_fake=args.allow_fake,
        full=args.submission_style == "full" if args.submission_style else is_valid_style,
        check=args.check,
        pack=args.pack,
        compliance=args.compliance,
        earlier_run=_earlier_run(args),
        clean_submission=args.clean_submission,
        gate=args.gate,
        refuse_invalid=is_valid_style,
        container=_container(args),
        unsafe_no_sandbox=args.unsafe_no_sandbox,
    )
    return Request(config, delivery)


def is_barred(config: BenchmarkConfig, allow_fake: bool) -> bool:
    """Whether the SUT is a fake that must not be submitted."""
    return suts.kind(config.sut).is_fake and not allow_fake


def refuse_fake(config: BenchmarkConfig, allow_fake: bool) -> None:
    """Raises: ConfigError for a fake SUT whose tree is not to be marked."""
    if is_barred(config, allow_fake):
        raise ConfigError(
            f"the {config.sut} SUT is a fake: its run cannot be submitted",
            "run with a real SUT, or mark the tree with --allow-fake",
        )


def extra_flags(delivery: Delivery) -> tuple[str, ...]:
    """Options of `assay bench` that say where the same run is made, beside those of its config."""
    flags: list[str] = []
    if (container := delivery.container) is not None:
        flags += ["--container", container.engine] if container.engine else []
        flags += ["--container-base", container.base] if container.base else []
        flags += ["--container-privileged"] if container.privileged else []
    return (*flags, *(["--unsafe-no-sandbox"] if delivery.unsafe_no_sandbox else []))


def _earlier_run(args: argparse.Namespace) -> EarlierRun:
    if args.rerun:
        return EarlierRun.REPLACE
    return EarlierRun.REUSE if args.reuse else EarlierRun.REFUSE


def _container(args: argparse.Namespace) -> ContainerRequest | None:
    asked = ContainerRequest(
        args.container,
        args.container_base,
        args.container_privileged,
        args.container_reuse,
        args.container_detached,
        args.container_keep,
    )
    return None if asked == ContainerRequest() else asked
