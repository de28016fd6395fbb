"""Results of an earlier benchmark in the same place: a run to reuse or replace, and its submission tree."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from assay import suts
from assay.config import BenchmarkConfig, Delivery, Division, EarlierRun, Request
from assay.doors import native
from assay.ground.errors import ConfigError
from assay.mlperf.record import result
from assay.mlperf.record.result import RunResult, Status
from assay.mlperf.record.run_folder import RunFolder

TREE_ROOTS = frozenset(division.value for division in Division)


def take(config: BenchmarkConfig, way: EarlierRun, say: Callable[[str], None]) -> RunResult | None:
    """The finished run in the run folder, where it may be taken as it is; what else is there is removed.

    None = it is to be measured. Raises: ConfigError for a folder that is to be cleaned and is no run folder.
    """
    out = config.paths.out
    if out is None or way is EarlierRun.REFUSE:
        return None
    if way is EarlierRun.RESUME:
        return _finished(config, out, say)
    if way is EarlierRun.REPLACE:
        remove_run(out)
    elif RunFolder(out).result.is_file():
        found = result.read(out)
        if found.status is Status.COMPLETE:
            say(f"{out} holds a finished run: taken as it is (--rerun runs again)")
            for name in differences(config, found):
                say(f"note: it was run with another {name} than is asked for now")
            return found
        remove_run(out)
    return None


def _finished(config: BenchmarkConfig, out: Path, say: Callable[[str], None]) -> RunResult | None:
    """The run that is to go on, where it is finished. Raises: ConfigError when it was run with other settings."""
    if not RunFolder(out).result.is_file() or (found := result.read(out)).status is not Status.COMPLETE:
        return None
    refuse_other_settings(config, found, out)
    say(f"{out} holds a finished run: taken as it is")
    return found


def refuse_other_settings(config: BenchmarkConfig, found: RunResult, out: Path) -> None:
    """Raises: ConfigError that names the settings of a run which `config` asks for otherwise."""
    if changed := differences(config, found):
        raise ConfigError(
            f"{out} was run with another {', '.join(changed)} than is asked for now",
            f"assay bench --resume {out} alone has the settings of the run; --out NEW starts another",
        )


def request_of(folder: Path) -> Request:
    """What was asked of the run in a folder. Raises: ArtifactError without a record; ConfigError for a bad config.json.

    A run of an earlier Assay, whose config.json names no delivery, was asked for nothing around it.
    """
    asked, file = result.read(folder).asked, RunFolder(folder).config
    return Request(asked, native.read_file(file if file.is_file() else None).delivery_over(Delivery()))


def differences(config: BenchmarkConfig, found: RunResult) -> list[str]:
    """Options whose values in `config` differ from those of the run."""
    asked, then = native.asked(config), native.asked(found.asked)
    fields = native.fields(suts.kind(config.sut))
    names = [field for field in fields if not field.name.startswith(("paths.out", "submission."))]
    changed = [field.flag for field in names if asked.get(field.name) != then.get(field.name)]
    return changed if config.workload == found.workload else ["workload", *changed]


def remove_run(folder: Path) -> None:
    """Remove an earlier run. Raises: ConfigError for a folder that is none, which is left alone."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not RunFolder(folder).is_run:
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
