"""An accuracy run in pieces: what an earlier process had answered is kept, and LoadGen is asked for the rest alone.

docs/adr/0013-resume.md says why, and what such a run is not.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.ground import files
from assay.ground.errors import ArtifactError, EnvironmentProblem, RunFailed
from assay.mlperf.logs import RunRecord, names, read_record
from assay.mlperf.logs.accuracy import read_accuracy
from assay.mlperf.run import journal, session
from assay.mlperf.run.journal import KeptAnswer
from assay.mlperf.run.run_spec import RunSpec

Kept = Mapping[int, KeptAnswer]
"""Sample index -> its answer."""
PIECE = "piece"
"""Folder beside the joined log: LoadGen's own log of the last piece."""


def kept(spec: RunSpec) -> dict[int, KeptAnswer]:
    """The answers of earlier pieces of this run. Raises: ArtifactError for a damaged journal.

    At least one sample is left for LoadGen: without a run of its own there are no settings and no log.
    """
    if spec.journal is None:
        return {}
    found = {index: each for index, each in journal.read(spec.journal).items() if 0 <= index < spec.samples}
    while len(found) >= spec.samples:
        found.popitem()
    return found


def rest(spec: RunSpec, answers: Kept) -> RunSpec:
    """The same run over the samples that have no answer yet. Its settings lie apart: a submission holds the whole
    run's."""
    if not answers:
        return spec
    asks = tuple(index for index in range(spec.samples) if index not in answers)
    return dataclasses.replace(
        spec,
        samples=len(asks),
        asks=asks,
        user_conf=spec.out / names.USER_CONF,
        min_query_count=None if spec.min_query_count is None else len(asks),
        max_query_count=None if spec.max_query_count is None else len(asks),
    )


def join(piece: RunSpec, answers: Kept) -> None:
    """Make the log of the last piece one of all answers, in LoadGen's form; LoadGen's own is kept in `PIECE`.

    It is moved first: a log beside that folder is never LoadGen's own.
    Raises: ArtifactError for a log that cannot be read, EnvironmentProblem when the disk is full.
    """
    log = piece.out / names.ACCURACY_FILE
    own = piece.out / PIECE / names.ACCURACY_FILE
    own.parent.mkdir(exist_ok=True)
    log.replace(own)
    with files.staged(log) as part, part.open("w", encoding="ascii") as file:
        for number, answer in enumerate(_answers(piece, own, answers)):
            file.write(("[\n" if number == 0 else ",\n") + _line(number, answer, piece.token_latencies))
        file.write("\n]\n")


def _answers(piece: RunSpec, own: Path, answers: Kept) -> Iterator[KeptAnswer]:
    """Those of earlier pieces, then those of the last one's log."""
    yield from answers.values()
    for entry in read_accuracy(own):
        index = entry.qsl_idx if piece.asks is None else piece.asks[entry.qsl_idx]
        first = None if entry.first_ids is None else int(entry.first_ids[0])
        yield KeptAnswer(index, first, entry.token_ids.astype(np.int32))


def whole_record(spec: RunSpec, version: str) -> RunRecord | None:
    """What LoadGen said of this run, where its own logs of all answers are there already: the process was stopped
    while it scored. `version`: of the wheel."""
    if not is_whole(spec.out) or spec.times is None or not spec.times.is_file():
        return None
    try:
        return session.checked(spec, version)
    except RunFailed:
        return None


def is_whole(out: Path) -> bool:
    """Whether the logs in this folder are LoadGen's own and come to their end; they may be of a piece."""
    if (out / PIECE).exists():
        return False
    try:
        return read_record(out).is_complete and sum(1 for _ in read_accuracy(out / names.ACCURACY_FILE)) > 0
    except ArtifactError:
        return False


def clear(out: Path, times: Path | None) -> None:
    """Remove the logs of an unfinished run; its answers are in the journal, which lies elsewhere.

    Raises: EnvironmentProblem when they cannot be removed.
    """
    try:
        if out.exists():
            shutil.rmtree(out)
        if times is not None:
            times.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"the logs of an unfinished run stay in {out}: {error}", "remove them"
        ) from error


def _line(seq_id: int, answer: KeptAnswer, token_latencies: bool) -> str:
    """As LoadGen writes an entry: ids as hex of little-endian int32."""
    entry: dict[str, object] = {"seq_id": seq_id, "qsl_idx": answer.sample_index}
    entry["data"] = _hex(answer.token_ids)
    if answer.first_id is not None:
        entry["token_data"] = _hex(np.array([answer.first_id]))
    if token_latencies:
        entry["token_count"] = len(answer.token_ids)
    return json.dumps(entry)


def _hex(ids: NDArray[Any]) -> str:
    return ids.astype(journal.NUMBER).tobytes().hex().upper()
