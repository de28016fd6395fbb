"""A SUT module for tests of the process boundary: it answers like echo until its `trouble` option says otherwise."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence

from assay.ground.errors import EnvironmentProblem
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import Answer, FirstToken, Query, Sink, SutSpec, Used


class TroubledSut:
    def __init__(self, trouble: str, server: bool, sink: Sink) -> None:
        self._trouble, self._server, self._sink = trouble, server, sink
        self._issued = 0

    def used(self) -> Used:
        return Used("troubled", "none", "none", "none", None, None, True, {"issued": self._issued})

    def issue(self, queries: Sequence[Query]) -> None:
        self._issued += len(queries)
        if self._trouble == "killed":
            print("these are my last words", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if self._trouble == "raises":
            raise ValueError("no such sample")
        if self._trouble == "raises in a thread":
            threading.Thread(target=int, args=("x",)).start()
        if self._trouble in ("silent", "raises in a thread"):
            return
        if self._trouble == "slow but talking":
            for part in range(8):  # 3.2 s, longer than the test lets a silent one live
                time.sleep(0.4)
                self._sink.progress(f"part {part}")
        answers = [Answer(query.id, (5, 6, 7)) for query in queries]
        if self._trouble == "invents ids":
            answers = [Answer(12345, (5, 6, 7))]
        if self._trouble == "answers twice":
            answers += answers[:1]
        if self._server:
            self._sink.first_tokens([FirstToken(query.id, 5) for query in queries])
        self._sink.done(answers)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def build(spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> TroubledSut:
    trouble = spec.options.get("trouble", "")
    sink.progress("loading the troubled SUT")
    if trouble == "does not load":
        raise EnvironmentProblem("the model needs 90 GB", "a larger machine")
    if trouble == "breaks while loading":
        raise KeyError("weights")
    if trouble == "dies while loading":
        os._exit(7)
    return TroubledSut(trouble, spec.server, sink)
