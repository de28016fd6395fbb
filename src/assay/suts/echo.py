"""EchoSut: answers from the dataset itself, at any pace and without a model. Our own tests use it too.

It computes nothing, so its runs are stamped FAKE.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.ground.errors import ConfigError
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import LEAST_TOKENS, Answer, FirstToken, Query, Sink, SutSpec, Used
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.sut.option import SutOption
from assay.mlperf.sut.planner import Examined, SutSeconds, SutWork
from assay.mlperf.workloads.workload import Generation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    TokenIds = NDArray[np.int32]

BATCH = 4096
"""Number of answers in one batch when no pace is set, so that LoadGen takes some while others are made."""
SLICE_SECONDS = 0.02
"""With a pace above 50 samples/s, queries are answered in slices of about this length."""
RAM_BYTES = 18_000_000
"""Bytes of anonymous memory of its process. Source: measured on the embedded workload."""
UNPACED = 100_000.0
"""Samples/s without a pace. Source: measured on the embedded workload, 2 cores."""


KIND = SutKind(
    name="echo",
    summary="answers from the dataset itself, without a model: tests everything but the arithmetic",
    module=__name__,
    needs_checkpoint=False,
    is_fake=True,
    options=(
        SutOption("answers", str, "what it answers with", "reference", choices=("reference", "prompt")),
        SutOption(
            "pace",
            float,
            "samples/s to answer at (default: as fast as the process boundary carries them)",
            least=1e-6,
            most=1e9,
        ),
    ),
    planner=__name__,
)


def examine(work: SutWork) -> Examined:
    """Nothing but the dataset can stop it, and that has been read."""
    return Examined()


def ram_bytes(work: SutWork) -> int:
    return RAM_BYTES


def seconds(work: SutWork) -> SutSeconds:
    pace = KIND.values(work.spec.options)["pace"]
    answer_s = len(work.samples) / (pace if isinstance(pace, float) else UNPACED)
    return SutSeconds(0.0, answer_s, answer_s)


class EchoSut:
    """Knows every answer beforehand. With a pace it serves query after query, each for 1 / pace seconds."""

    def __init__(
        self, answers: list[TokenIds], pace: float | None, used: Used, server: bool, sink: Sink
    ) -> None:
        self._answers, self._pace, self._used = answers, pace, used
        self._firsts = [int(ids[0]) for ids in answers]
        self._server, self._sink = server, sink
        self._due = 0.0

    def used(self) -> Used:
        return self._used

    def issue(self, queries: Sequence[Query]) -> None:
        size = BATCH if self._pace is None else max(1, math.floor(self._pace * SLICE_SECONDS))
        for start in range(0, len(queries), size):
            self._serve(queries[start : start + size])

    def flush(self) -> None:
        """Every query is answered inside `issue`."""

    def close(self) -> None:
        """Holds nothing."""

    def _serve(self, queries: Sequence[Query]) -> None:
        if self._server:
            firsts = self._firsts
            self._sink.first_tokens([FirstToken(id_, firsts[index]) for id_, index in queries])
        if self._pace is not None:
            self._wait(len(queries) / self._pace)
        answers = self._answers
        self._sink.done([Answer(id_, answers[index]) for id_, index in queries])  # type: ignore[arg-type]

    def _wait(self, seconds: float) -> None:
        """Sleep until this slice is due; a late slice is followed by a shorter wait, so the pace is kept."""
        now = time.monotonic()
        self._due = max(self._due, now - seconds) + seconds
        time.sleep(max(0.0, self._due - now))


def build(spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> EchoSut:
    """Raises: ConfigError for an unknown option, or for reference answers that the dataset does not have."""
    options = KIND.values(spec.options)
    kind, pace = str(options["answers"]), options["pace"]
    assert pace is None or isinstance(pace, float)
    answers = [_answer(sample, kind, spec.generation) for sample in samples]
    used = Used(
        sut="echo",
        backend=f"no model: answers are the dataset's own ({kind})",
        precision="none",
        device="none",
        batch=None,
        weights_sha256=None,
        is_fake=True,
        details={"answers": kind, "pace": pace},
    )
    return EchoSut(answers, pace, used, spec.server, sink)


def _answer(sample: Sample, kind: str, generation: Generation) -> TokenIds:
    import numpy as np

    ids = sample.reference_ids if kind == "reference" else sample.prompt_ids[: generation.max_new_tokens]
    if not ids and kind == "reference":
        raise ConfigError(
            f"the dataset has no reference answer for sample {sample.index} ({sample.id})",
            "--answers prompt, or a dataset with tok_ref_output",
        )
    missing = max(0, LEAST_TOKENS - len(ids))
    return np.array([*ids, *[generation.eos_id] * missing], np.int32)
