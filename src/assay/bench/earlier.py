"""Results of an earlier benchmark in the same place: a run to reuse or replace, and its submission tree."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from assay import suts
from assay.config import BenchmarkConfig, Delivery, Division, EarlierRun, Request
from assay.doors import config_options, config_text
from assay.ground import files, holder, scratch
from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf.record import result
from assay.mlperf.record.result import RunResult, Status
from assay.mlperf.record.run_folder import RunFolder

TREE_ROOTS = frozenset(division.value for division in Division)


def take(config: BenchmarkConfig, way: EarlierRun, say: Callable[[str], None]) -> RunResult | None:
    """The finished run in the run folder, where it may be taken as it is; what else is there is removed.

    None = it is to be measured. Raises: as `finished`; ConfigError for a folder that is to be cleaned and is no run
    folder.
    """
    out, found = config.paths.out, finished(config, way)
    if found is not None:
        again = " (--rerun runs again)" if way is EarlierRun.REUSE else ""
        say(f"{out} holds a finished run: taken as it is{again}")
        for name in differences(config, found):
            say(f"note: it was run with another {name} than is asked for now")
    elif out is not None and (way is EarlierRun.REPLACE or (way is EarlierRun.REUSE and holds_run(out))):
        remove_run(out)
    return found


def finished(config: BenchmarkConfig, way: EarlierRun) -> RunResult | None:
    """The finished run in the run folder, where it may be taken as it is. Raises: ConfigError when one that is to go on
    was run with other settings; ArtifactError for a record that cannot be read."""
    out = config.paths.out
    if out is None or way not in (EarlierRun.REUSE, EarlierRun.RESUME) or not holds_run(out):
        return None
    found = result.read(out)
    if found.status is not Status.COMPLETE:
        return None
    if way is EarlierRun.RESUME:
        refuse_other_settings(config, found, out)
    return found


def holds_run(folder: Path) -> bool:
    """Whether there is the record of a run, finished or not."""
    return RunFolder(folder).result.is_file()


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
    return Request(
        asked, config_options.read_file(file if file.is_file() else None).delivery_over(Delivery())
    )


def differences(config: BenchmarkConfig, found: RunResult) -> list[str]:
    """Options whose values in `config` differ from those of the run."""
    asked, then = config_text.asked(config), config_text.asked(found.asked)
    fields = config_options.fields(suts.kind(config.sut))
    names = [field for field in fields if not field.name.startswith(("paths.out", "submission."))]
    changed = [field.flag for field in names if asked.get(field.name) != then.get(field.name)]
    return changed if config.workload == found.workload else ["workload", *changed]


def refuse_unusable(folder: Path) -> None:
    """Raises: ConfigError for a run folder whose name LoadGen cannot take, or that may not be made or written to."""
    if os.fsencode(folder).decode("utf-8", "ignore") != str(folder):
        raise ConfigError(
            f"LoadGen takes no path that is not UTF-8: {folder}", "--out a folder of another name"
        )
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise unusable(folder, f"{there} is no folder that may be written to")


def refuse_taken(folder: Path, is_ours: bool = False) -> None:
    """Raises: ConfigError as `refuse_unusable`, and for a run folder that holds something. `is_ours`: whether this
    process has marked it as in use."""
    refuse_unusable(folder)
    try:
        is_taken = folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise unusable(folder, error.strerror) from error
    if is_taken and not is_ours:
        refuse_running(folder)
    if is_taken:
        raise ConfigError(f"{folder} is not empty: {_held(folder)}", f"{_way_on(folder)}--out a new folder")


def _held(folder: Path) -> str:
    run = RunFolder(folder)
    if run.is_run:
        return "it holds a run" if _is_complete(folder) else "it holds a run that did not end"
    return f"it holds the record of `assay {run.made_by}`" if run.made_by else "it may hold another run"


def _way_on(folder: Path) -> str:
    """What can be done with the run in a folder, before other hints."""
    if not RunFolder(folder).is_run:
        return ""
    if _is_complete(folder):
        return "of `assay bench`: --reuse takes it as it is, --rerun replaces it; "
    return f"`assay bench --resume {folder}` goes on with it, --rerun replaces it; "


def _is_complete(folder: Path) -> bool:
    try:
        return result.read(folder).status is Status.COMPLETE
    except ArtifactError:
        return False


def unusable(folder: Path, why: str | None) -> ConfigError:
    """For a run folder that cannot be made or read."""
    return ConfigError(f"cannot use run folder {folder}: {why}", "--out another folder")


def remove_run(folder: Path, made_by: str = "") -> None:
    """Remove an earlier run. Raises: as `require_removable_run`; such a folder is left alone."""
    require_removable_run(folder, made_by)
    if folder.exists() and any(folder.iterdir()):
        with scratch.folder(f".{folder.name}.", ".old", folder.absolute().parent) as beside:
            folder.rename(beside / folder.name)  # in one step: what another process begins there stays


def require_removable_run(folder: Path, made_by: str = "") -> None:
    """Raises: ConfigError for a folder that holds something else than a run of Assay, or a run that goes on, and for
    the working folder: the run after it would begin in one that is gone. `made_by`: the verb whose record is expected
    in place of a run."""
    refuse_unusable(folder)
    if not folder.exists() or not any(folder.iterdir()):
        return
    run = RunFolder(folder)
    if not (run.made_by == made_by if made_by else run.is_run):
        expected = f"holds no record of `assay {made_by}`" if made_by else "is no run folder of Assay"
        raise ConfigError(f"{folder} is to be cleaned and {expected}", "name another output folder")
    if Path.cwd().is_relative_to(folder.resolve()):
        raise ConfigError(
            f"{folder} is to be cleaned, and this command was started in it", "start it in another folder"
        )
    refuse_running(folder)


def require_resumable(folder: Path) -> None:
    """Raises: ConfigError for a folder that holds no run which could go on, and for one that is in use."""
    if not RunFolder(folder).is_run:
        raise ConfigError(f"{folder} holds no run to go on with", "the folder of a run that was stopped")
    refuse_running(folder)


def refuse_running(folder: Path) -> None:
    """Raises: ConfigError for a folder in which a process works."""
    if files.is_held(folder):
        raise in_use(folder)


def in_use(folder: Path) -> ConfigError:
    """For a folder in which another process works."""
    return ConfigError(
        f"{folder} is in use by {holder.words(folder)}", "wait for its end, or name another folder"
    )


def remove_tree(root: Path) -> None:
    """Remove an earlier submission tree. Raises: ConfigError for a folder that is none, which is left alone."""
    require_removable_tree(root)
    if root.exists():
        shutil.rmtree(root)


def require_removable_tree(root: Path) -> None:
    """Raises: ConfigError for a folder that holds something else than a submission tree."""
    inside = root.iterdir() if root.exists() else ()
    strange = [path.name for path in inside if path.name not in TREE_ROOTS and path.suffix != ".md"]
    if strange:
        raise ConfigError(
            f"{root} is to be cleaned and is no submission tree: it holds {', '.join(sorted(strange)[:3])}",
            "name another submission folder",
        )
