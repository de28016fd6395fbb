"""What lies beside a report and can bear it out: LoadGen's logs, accuracy.txt, and the record of the precision."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from assay.ground.errors import ArtifactError
from assay.mlperf.logs import detail, names
from assay.mlperf.logs.accuracy_text import scores
from assay.mlperf.logs.detail import JUDGED_KEYS, DetailLog
from assay.mlperf.record import result
from assay.mlperf.record.run_folder import RunFolder

BYTES_MAX = 64 << 20
"""Larger files are not read. A choice: a submission cuts its accuracy logs to KB; that of a run folder is whole."""
OLD_LAYOUT_PART = -4
"""Where `measurements` stands in the path of measurements/SYSTEM/BENCHMARK/SCENARIO, the README's folder."""


@dataclass(frozen=True)
class Evidence:
    """The files of one scenario; None or empty where one is not at hand."""

    performance: DetailLog | None = None
    accuracy: DetailLog | None = None
    accuracy_text: str = ""
    answers: bytes | None = None
    """The accuracy log, whole or cut."""

    def score(self, metric: str) -> float | None:
        """The metric's value in accuracy.txt."""
        found = scores(self.accuracy_text, metric)
        return found[-1] if found else None

    @property
    def samples(self) -> int | None:
        """Samples of the accuracy run, by its log."""
        if self.accuracy is None:
            return None
        count = self.accuracy.number("effective_accuracy_sample_count")
        count = count or self.accuracy.number("qsl_reported_total_count")
        return int(count) if count else None


def beside(report: Path, scenario: str | None) -> Evidence:
    """The files of a scenario beside a report: in a run folder, or in either layout of a submission."""
    folder = report.absolute().parent
    places = [folder / scenario] if scenario else []
    places.append(folder)
    if len(folder.parts) > -OLD_LAYOUT_PART and folder.parts[OLD_LAYOUT_PART] == "measurements":
        parts = list(folder.parts)
        parts[OLD_LAYOUT_PART] = "results"
        places.append(Path(*parts))
    for place in places:
        performance = _log(place / names.PERFORMANCE_RUN / names.DETAIL_FILE)
        accuracy = _log(place / names.ACCURACY_RUN / names.DETAIL_FILE)
        if performance is not None or accuracy is not None:
            text = _read(place / names.ACCURACY_RUN / names.ACCURACY_TEXT) or b""
            answers = _read(place / names.ACCURACY_RUN / names.ACCURACY_FILE)
            return Evidence(performance, accuracy, text.decode("utf-8", "replace"), answers)
    return Evidence()


def loaded_precision(report: Path) -> str | None:
    """The precision that the run's record or the submission's measurement file states.

    Raises: ArtifactError when a result.json lies there and is none.
    """
    folder = report.absolute().parent
    if RunFolder(folder).result.is_file():
        used = result.read(folder).used
        return used.precision if used else None
    for path in sorted(folder.glob("*.json")):
        content = _read(path)
        try:
            fields = json.loads(content or b"null")
        except (ValueError, RecursionError) as error:
            raise ArtifactError(f"{path} is not JSON: {error}", "repair it, or remove it") from error
        if isinstance(fields, dict) and isinstance(fields.get("weight_data_types"), str):
            return str(fields["weight_data_types"])
    return None


def _log(path: Path) -> DetailLog | None:
    content = _read(path)
    return None if content is None else detail.parse(content, JUDGED_KEYS)


def _read(path: Path) -> bytes | None:
    """Content of a plain file of usual size; None for what is none, so that a pipe cannot hold the audit up."""
    if not path.is_file() or path.stat().st_size > BYTES_MAX:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror}", "check its permissions") from error
