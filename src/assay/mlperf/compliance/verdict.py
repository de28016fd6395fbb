"""What a compliance test found, and how a run folder and a submission hold it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from assay.ground import files
from assay.mlperf.logs import names


class ComplianceVerdict(Protocol):
    """What a compliance test found."""

    @property
    def passed(self) -> bool: ...

    @property
    def words(self) -> str: ...

    @property
    def reasons(self) -> Sequence[str]: ...

    def text(self) -> str:
        """The file that checkers read."""


def file_verdict(verdict: ComplianceVerdict, log: Path, folder: Path, file: str = names.VERDICT_FILE) -> None:
    """Write the folder of a test: the verdict as `file`, and the sampled log, whole, as submissions hold it."""
    target = folder / names.ACCURACY_RUN / names.ACCURACY_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    if log.resolve() != target.resolve():
        with files.staged(target) as part:
            shutil.copyfile(log, part)
    files.write_text(folder / file, verdict.text())
