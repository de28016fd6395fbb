"""Runs MBXP programs in the sandbox, many at a time, and gives the verdict on each.

A language is believed only after its tools were found, a right program passed and a wrong one failed; else
every program of it is "not graded", with what to install. Knows nothing of samples or scores.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assay.ground.errors import EnvironmentProblem
from assay.mlperf.scoring.programs import language as languages
from assay.mlperf.scoring.programs import livecodebench
from assay.mlperf.scoring.programs.language import Language, content
from assay.mlperf.scoring.programs.program import STARVED, Grading, Program, ProgramVerdict, unfinished
from assay.mlperf.scoring.programs.transpile import CHUNK_PROGRAMS, transpile
from assay.sandbox import sandbox as sandboxes
from assay.sandbox.sandbox import Sandbox

SLOWEST_FIRST = ("cpp", "typescript")
"""Begun first, so that no worker is left with one of them at the end."""

TAIL = 300
"""Characters of what a failed program said last that its verdict keeps."""
WORKERS_MAX = 256
"""Most programs at the same time, whatever is asked for."""

Progress = Callable[[int, int], None]
"""Called with (programs graded, programs in all), from one thread at a time."""

Run = Callable[[Program], ProgramVerdict]


@dataclasses.dataclass(frozen=True)
class Grade:
    """A Grader: call it with programs. No sandbox here = all of them ungraded, with the reason."""

    workers: int | None = None
    """Programs at the same time; None = one for each core."""
    unsafe: bool = False
    """True: without a sandbox, as the caller; said so in the grading."""
    progress: Progress | None = None
    lcb_tests: Path | None = None
    """File or folder with the tests of LiveCodeBench; None = its programs are ungraded."""

    def __call__(self, programs: Sequence[Program]) -> Grading:
        # One worker has a control group, a thread and a user id of its own: no more of them than there is work for.
        workers = min(self.workers or sandboxes.default_slots(), max(1, len(programs)), WORKERS_MAX)
        try:
            with sandboxes.opened(workers, unsafe=self.unsafe) as sandbox:
                return Grading(self._verdicts(sandbox, workers, programs), sandbox.describe())
        except EnvironmentProblem as problem:
            return Grading([_ungraded(problem)] * len(programs))

    def _verdicts(self, sandbox: Sandbox, workers: int, programs: Sequence[Program]) -> list[ProgramVerdict]:
        with ThreadPoolExecutor(workers) as pool:
            asked = sorted({program.language for program in programs})
            ready = dict(zip(asked, pool.map(lambda name: self._ready(sandbox, name), asked)))
            scripts = _scripts(sandbox, pool, ready, programs)
            order = sorted(
                range(len(programs)), key=lambda i: programs[i].language not in SLOWEST_FIRST or i in scripts
            )

            def grade(i: int) -> ProgramVerdict:
                found = ready[programs[i].language]
                if isinstance(found, ProgramVerdict):
                    return found
                return found(programs[i]) if i not in scripts else scripts[i]()

            verdicts: dict[int, ProgramVerdict] = {}
            for i, verdict in zip(order, pool.map(grade, order)):
                verdicts[i] = verdict
                if self.progress:
                    self.progress(len(verdicts), len(programs))
        for i in order:
            if verdicts[i] is STARVED:
                verdicts[i] = grade(i)  # alone now: no other program can be the cause
                if verdicts[i] is STARVED:
                    break  # the machine is; the others would only take their time to find out
        return [verdicts[i] for i in range(len(programs))]

    def _ready(self, sandbox: Sandbox, name: str) -> Run | ProgramVerdict:
        """How programs of that language run, once it is proved to work here; else the verdict on all of them."""
        try:
            if name == livecodebench.LANGUAGE:
                return livecodebench.runner(sandbox, self.lcb_tests)
            found = languages.find(name)
        except EnvironmentProblem as problem:
            return _ungraded(problem)
        right = run(sandbox, found, content(found.right))
        wrong = run(sandbox, found, content(found.wrong))
        if right.passed is True and wrong.passed is False:
            return lambda program: run(sandbox, found, content(program))
        return ProgramVerdict(
            None, f"{name} does not work in the sandbox ({right.reason or 'a wrong program passed'})"
        )


def run(sandbox: Sandbox, language: Language, source: bytes) -> ProgramVerdict:
    """The verdict on one program; ungraded when the sandbox failed, or others left the program no time."""
    verdict = _run_once(sandbox, language, source)
    if verdict.passed and language.impossible:
        control = _run_once(sandbox, language, source + language.impossible.encode())
        if control.passed is not False:
            return ProgramVerdict(False, "it passes whatever its tests say") if control.passed else control
    return verdict


def _run_once(sandbox: Sandbox, language: Language, source: bytes) -> ProgramVerdict:
    secret = secrets.token_bytes(language.secret_bytes)
    outcome = sandbox.run(
        language.command,
        language.file,
        secret + source,
        language.readable,
        language.env,
        dataclasses.replace(sandbox.limits, wall_s=language.wall_s),
        compile_s=language.compile_s,
        secret=secret,
        has_proc=language.has_proc,
    )
    if (verdict := unfinished(outcome)) is not None:
        return verdict
    if outcome.status == 0 and outcome.told_secret:
        return ProgramVerdict(True)
    said = outcome.output.strip()
    told = said if len(said) <= TAIL else f"…{said[-TAIL:]}"  # the end says which test failed
    return ProgramVerdict(False, f"exit status {outcome.status}: {told or 'no output'}")


def _scripts(
    sandbox: Sandbox,
    pool: ThreadPoolExecutor,
    ready: Mapping[str, Run | ProgramVerdict],
    programs: Sequence[Program],
) -> dict[int, Callable[[], ProgramVerdict]]:
    """Position -> how to run the JavaScript of each TypeScript program that needs no tsc."""
    if isinstance(ready.get("typescript"), ProgramVerdict | None):
        return {}
    javascript = languages.find("javascript")
    places = [i for i, program in enumerate(programs) if program.language == "typescript"]
    chunks = [places[start : start + CHUNK_PROGRAMS] for start in range(0, len(places), CHUNK_PROGRAMS)]
    emitted = pool.map(
        lambda chunk: transpile(sandbox, javascript, [content(programs[i]) for i in chunk]), chunks
    )
    return {
        i: lambda script=script: run(sandbox, javascript, script)  # type: ignore[misc]
        for chunk, scripts in zip(chunks, emitted)
        for i, script in zip(chunk, scripts)
        if script is not None
    }


def _ungraded(problem: EnvironmentProblem) -> ProgramVerdict:
    return ProgramVerdict(None, f"{problem.message}; {problem.hint}" if problem.hint else problem.message)
