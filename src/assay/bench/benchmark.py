"""One benchmark with everything asked for around it: artifacts, container, submission, check, archive.

`app` measures; this module obtains before it and delivers after it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from assay.bench import app, contained, fetching
from assay.bench.app import Watch
from assay.config import BenchmarkConfig, Delivery, Division
from assay.doors.builtin.call import Delivered, MayFetch
from assay.ground.errors import ConfigError, RunFailed
from assay.ground.hub import Hub
from assay.mlperf import result, workloads
from assay.mlperf.checker import check
from assay.mlperf.checker.finding import Severity
from assay.mlperf.result import RunResult
from assay.mlperf.submission.pack import pack
from assay.mlperf.submission.write import Request, write
from assay.report import outcome, readme, summary
from assay.report.outcome import Outcome

SUBMITTER = "MLCommons"
"""Who submits when nobody is named. Source: cm4mlops, get-mlperf-inference-sut-description."""
TREE_ROOTS = frozenset(division.value for division in Division)


def deliver(
    config: BenchmarkConfig,
    delivery: Delivery,
    hub: Hub,
    watch: Watch,
    *,
    may_fetch: MayFetch,
    comply: Callable[[Path], object],
) -> Delivered:
    """Run it, or take the finished run that is there, and deliver what was asked for.

    `comply` runs the compliance tests of a run folder and files them in it.
    Raises: AssayError; errors found by the checker are one, unless the short style is asked for.
    """
    config = fetching.obtain(config, hub, watch.say, may_fetch)
    if delivery.submit:
        app.refuse_other_weights(config)
    must_comply = complies(config, delivery)
    made, folder = _measured(config, delivery, watch)
    watch.say(summary.render(made))
    came_to = outcome.of(made)
    watch.say(f"  result   {came_to}")
    if must_comply and not any(folder.glob("*/compliance")):
        comply(folder)
    if not delivery.submit:
        _gate(delivery, came_to, folder)
        return Delivered(folder)
    root = config.submission.out or folder.with_name(f"{folder.name}_submission")
    if delivery.clean_submission:
        remove_tree(root)
    _write_tree(config, folder, root)
    watch.say(f"submission tree {root}")
    archive = _packed(root, watch.say) if delivery.pack else None
    if delivery.check:
        _judge(config, root, watch.say, counts=delivery.full)
    _gate(delivery, came_to, folder)
    return Delivered(folder, root, archive)


def _gate(delivery: Delivery, came_to: Outcome, folder: Path) -> None:
    if delivery.gate and not came_to.is_good:
        raise RunFailed(f"the gate is shut: {came_to}", f"see {folder / 'README.md'}, or leave --gate out")


def remove_run(folder: Path) -> None:
    """Remove an earlier run. Raises: ConfigError for a folder that is none, which is left alone."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not any((folder / name).is_file() for name in (result.RESULT_FILE, "config.json")):
        raise ConfigError(
            f"{folder} is to be cleaned and is no run folder of Assay", "name another output folder"
        )
    shutil.rmtree(folder)


def remove_tree(root: Path) -> None:
    """Remove an earlier submission tree. Raises: ConfigError for a folder that is none, which is left alone."""
    if not root.exists():
        return
    strange = [path.name for path in root.iterdir() if path.name not in TREE_ROOTS and path.suffix != ".md"]
    if strange:
        raise ConfigError(
            f"{root} is to be cleaned and is no submission tree: it holds {', '.join(sorted(strange)[:3])}",
            "name another submission folder",
        )
    shutil.rmtree(root)


def _measured(config: BenchmarkConfig, delivery: Delivery, watch: Watch) -> tuple[RunResult, Path]:
    out = config.paths.out
    if out is not None:
        if delivery.clean_results or delivery.rerun:
            remove_run(out)
        elif (out / result.RESULT_FILE).is_file():
            earlier = result.read(out)
            if earlier.status == result.COMPLETE:
                watch.say(f"{out} holds a finished run: taken as it is (--rerun runs again)")
                return earlier, out
            remove_run(out)
    if delivery.container is not None:
        return contained.run(config, delivery.container, watch)
    return app.run(config, watch)


def complies(config: BenchmarkConfig, delivery: Delivery) -> bool:
    """Whether compliance tests are to be run. Raises: ConfigError for a container: they do not go into one."""
    # Source: inference_policies: closed submissions owe compliance tests; cm4mlops leaves them out in open.
    if not delivery.compliance or config.submission.division is not Division.CLOSED:
        return False
    if delivery.container is not None:
        raise ConfigError(
            "compliance tests of a run in a container are not possible",
            "leave one of the two out: no compliance tests, or no container",
        )
    return True


def _write_tree(config: BenchmarkConfig, folder: Path, root: Path) -> None:
    asked = config.submission
    request = Request(
        submitter=asked.submitter or SUBMITTER,
        division=asked.division.value,
        round=workloads.round_of(config.round, config.workload),
        readme=readme.render,
        system_name=asked.system_name,
        allow_fake=config.sut == "echo",
    )
    write([folder], request, root)


def _packed(root: Path, say: Callable[[str], None]) -> Path:
    archive = root.with_name(f"{root.name}.tar.gz")
    digest = pack(root, archive)
    say(f"packed {archive}, sha256 {digest}")
    return archive


def _judge(config: BenchmarkConfig, root: Path, say: Callable[[str], None], *, counts: bool) -> None:
    round_ = workloads.round_of(config.round, config.workload)
    report = check.check(root, round_)
    for finding in report.findings:
        say(f"{finding.severity.value} {finding.code} {finding.path or '.'}: {finding.message}")
    errors = report.count(Severity.ERROR)
    say(f"checked by round {report.round}: {errors} errors, {report.count(Severity.WARNING)} warnings")
    if errors and counts:
        raise RunFailed(f"{root} has {errors} errors in round {report.round}", f"assay check {root}")
