"""Verdicts of real interpreters inside the real sandbox; a language that is missing here is skipped by name."""

from __future__ import annotations

import pytest

from assay.ground.errors import EnvironmentProblem
from assay.mlperf.scoring.programs import grader, language
from assay.mlperf.scoring.programs import transpile as transpiling
from assay.mlperf.scoring.programs.grader import Grade
from assay.mlperf.scoring.programs.mbxp import GRADED
from assay.mlperf.scoring.programs.program import Program, ProgramVerdict
from assay.mlperf.scoring.programs.transpile import transpile
from assay.sandbox import sandbox as sandboxes
from assay.sandbox.isolation import Bubblewrap, Unshare
from assay.sandbox.sandbox import Sandbox

CHECK = "def check(f): assert f(2) == 4"


def verdict(box: Sandbox, program: Program) -> bool | None:
    try:
        found = language.find(program.language)
    except EnvironmentProblem as problem:
        pytest.skip(problem.message)
    return grader.run(box, found, language.content(program)).passed


@pytest.mark.parametrize("name", [name for name in GRADED if name not in ("cpp", "typescript")])
def test_a_right_program_passes_and_a_wrong_one_fails(box: Sandbox, name: str) -> None:
    try:
        found = language.find(name)
    except EnvironmentProblem as problem:
        pytest.skip(problem.message)
    assert verdict(box, found.right) is True
    assert verdict(box, found.wrong) is False


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cpp", "typescript"])
def test_a_right_program_of_a_compiled_language_passes_and_a_wrong_one_fails(box: Sandbox, name: str) -> None:
    test_a_right_program_passes_and_a_wrong_one_fails(box, name)


@pytest.mark.parametrize(
    "solution",
    [
        "def f(x): raise SystemExit(0)",
        "import os\ndef f(x): os._exit(0)",
        "import sys\ndef f(x): sys.exit()",
        "def f(x): return 5",
        "def f(x) return 4",
        "import os\ndef f(x):\n  os.system('true')\n  return 4",
        "import subprocess\ndef f(x):\n  subprocess.Popen(['true'])\n  return 4",
        "def f(x):\n  input()\n  return 4",
        "",
    ],
)
def test_python_passes_only_without_any_exception(box: Sandbox, solution: str) -> None:
    assert verdict(box, Program("python", "f", solution, CHECK)) is False


@pytest.mark.parametrize(
    "solution",
    [
        "def f(x): return 4",
        "def f(x):\n  print('much ' * 100)\n  return x * 2",
        "def f(x): return 4\nif __name__ == '__main__': raise ValueError",
    ],
)
def test_python_swallows_what_is_printed_and_is_no_main_program(box: Sandbox, solution: str) -> None:
    assert verdict(box, Program("python", "f", solution, CHECK)) is True


def test_php_finds_its_usual_extensions(box: Sandbox) -> None:
    assert verdict(box, Program("php", "f", "<?php if (!ctype_alpha('a')) exit(1);", "")) is True


def test_ruby_loads_a_library_when_it_is_required(box: Sandbox) -> None:
    assert (
        verdict(box, Program("ruby", "f", "require 'set'\n", "raise 'x' if Set.new([1, 1]).size != 1"))
        is True
    )


TS_TEST = "\nimport * as assert from 'assert'\nassert.deepEqual(f(2), 4)\n"


TS_PROGRAM = """
interface P { a: number }
enum E { A, B = A + 2 }
class C<T> { constructor(private x: T) {} get() { return this.x } }
const f = (x: number): any => {
    let s = 0;
    for (const v of [1, 2, ...[3]]) { s += v }
    const {a, ...r} = {a: 1, b: 2};
    return `${s}${new C<P>({a: E.B}).get().a}${a}${Object.keys(r)}` as unknown as number
}
"""


def test_typescript_takes_the_fast_path_only_where_tsc_is_sure_to_end_with_2(box: Sandbox) -> None:
    try:
        javascript = language.find("javascript")
    except EnvironmentProblem as problem:
        pytest.skip(problem.message)
    sources = [
        "const f = (x: number): number => x * 2" + TS_TEST,
        "const f = (x: number): string => x * 2" + TS_TEST,
        "const f = (x number) => {" + TS_TEST,
        "const f = (x: number): number => x * 2\n",
        "declare module 'assert' { export function deepEqual(a: any, b: any): void }\n" + TS_TEST,
        "const enum E { A = 2 }\nconst f = (x: number) => E.A * 2" + TS_TEST,
        "/* unclosed" + TS_TEST,
    ]
    fast = [script is not None for script in transpile(box, javascript, [s.encode() for s in sources])]
    assert fast == [True, True, True, False, False, False, True]


@pytest.mark.slow
def test_the_fast_path_emits_what_tsc_emits_and_tsc_says_2(box: Sandbox) -> None:
    try:
        typescript, javascript = language.find("typescript"), language.find("javascript")
    except EnvironmentProblem as problem:
        pytest.skip(problem.message)
    source = (TS_PROGRAM + TS_TEST).encode()
    [script] = transpile(box, javascript, [source])
    tsc = typescript.command[-1].split(" >/dev/null")[0]
    outcome = box.run(
        ("/bin/sh", "-c", f"{tsc} >/dev/null; echo $?; cat t.js"), "t.ts", source, typescript.readable
    )
    status, _, emitted = outcome.output.partition("\n")
    assert status == "2"
    assert script is not None
    assert emitted == script.decode()


@pytest.mark.slow
def test_a_clean_typescript_compile_fails_as_it_does_officially(box: Sandbox) -> None:
    assert (
        verdict(box, Program("typescript", "f", "const f = (x: number): number => x * 2\n", "f(2)")) is False
    )


def test_without_a_sandbox_every_program_is_ungraded(monkeypatch: pytest.MonkeyPatch) -> None:
    for wall in (Bubblewrap, Unshare):
        monkeypatch.setattr(wall, "missing", lambda self: ["the tool"])
    grading = Grade()([Program("python", "f", "def f(x): return 4", CHECK)] * 2)
    assert [v.passed for v in grading.verdicts] == [None, None]
    assert "bubblewrap" in grading.verdicts[0].reason


def test_a_missing_language_is_ungraded_and_the_others_are_graded(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> language.Language:
        raise EnvironmentProblem("ruby is not installed", "apt-get install ruby")

    monkeypatch.setitem(language._FIND, "ruby", missing)
    programs = [Program("ruby", "f", "", ""), Program("python", "f", "def f(x): return 4", CHECK)]
    told: list[tuple[int, int]] = []
    grading = Grade(workers=2, progress=lambda done, total: told.append((done, total)))(programs)
    assert grading.verdicts[0] == ProgramVerdict(None, "ruby is not installed; apt-get install ruby")
    assert grading.verdicts[1].passed is True
    assert told[-1] == (2, 2)
    assert grading.sandbox["safe"] is True


def test_an_interpreter_that_gives_wrong_verdicts_is_not_believed(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruby = language.Language(
        "ruby", "t.rb", ("/bin/true",), Program("ruby", "f", "", ""), Program("ruby", "f", "", "")
    )
    monkeypatch.setitem(language._FIND, "ruby", lambda: ruby)
    grading = Grade(workers=1)([Program("ruby", "f", "", "")])
    assert grading.verdicts[0].passed is None
    assert "a wrong program passed" in grading.verdicts[0].reason


@pytest.mark.parametrize("name", ["python", "javascript"])
def test_no_sandbox_on_request_gives_the_same_verdicts(name: str) -> None:
    try:
        found = language.find(name)
    except EnvironmentProblem as problem:
        pytest.skip(problem.message)
    grading = Grade(workers=1, unsafe=True)([found.right, found.wrong])
    assert [verdict.passed for verdict in grading.verdicts] == [True, False]


def test_scripts_of_which_not_all_arrived_are_left_to_tsc(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        javascript = language.find("javascript")
    except EnvironmentProblem as problem:
        pytest.skip(problem.message)
    monkeypatch.setattr(transpiling, "_OUTPUT_BYTES", 50)
    source = ("const f = (x: number): number => x * 2" + TS_TEST).encode()
    assert transpile(box, javascript, [source, source]) == [None, None]


def test_no_sandbox_on_request_is_written_into_the_grading() -> None:
    grading = Grade(workers=1, unsafe=True)([Program("ruby", "f", "", "")])
    assert grading.sandbox["safe"] is False


def test_a_program_that_sleeps_too_long_has_failed_however_busy_the_machine_is(box: Sandbox) -> None:
    never = Program("python", "f", "", "")
    slept = language.Language("python", "t", ("/bin/sleep", "30"), right=never, wrong=never, wall_s=0.5)
    assert grader.run(box, slept, b"") == ProgramVerdict(False, "not ended in time")


def test_a_starved_program_is_run_again_alone_and_its_second_verdict_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcomes = {"right": [grader.STARVED, ProgramVerdict(True)], "slow": [ProgramVerdict(False)]}
    monkeypatch.setattr(Grade, "_ready", lambda self, box, name: lambda each: outcomes[each.solution].pop(0))
    programs = [Program("php", "f", text, "") for text in ("right", "slow")]
    assert [v.passed for v in Grade(workers=1, unsafe=True)(programs).verdicts] == [True, False]


def test_a_program_that_starves_even_alone_is_ungraded_and_no_other_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs: list[str] = []
    monkeypatch.setattr(
        Grade, "_ready", lambda self, box, name: lambda each: runs.append(each.solution) or grader.STARVED
    )
    grading = Grade(workers=1, unsafe=True)([Program("php", "f", text, "") for text in "ab"])
    assert [v.passed for v in grading.verdicts] == [None, None]
    assert runs == ["a", "b", "a"]


@pytest.mark.parametrize(("asked", "programs", "slots"), [(100_000, 3, 3), (2, 3, 2), (100_000, 1000, 256)])
def test_no_more_workers_are_made_than_there_are_programs_for(
    monkeypatch: pytest.MonkeyPatch, asked: int, programs: int, slots: int
) -> None:
    made: list[int] = []

    def opened(slots: int, unsafe: bool) -> Sandbox:
        made.append(slots)
        raise EnvironmentProblem("none here")

    monkeypatch.setattr(sandboxes, "opened", opened)
    Grade(asked)([Program("python", "f", "", "")] * programs)
    assert made == [slots]
