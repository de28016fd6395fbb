from __future__ import annotations

import base64
import json
import pickle
import zlib
from pathlib import Path

import pytest

from assay.ground.errors import ArtifactError
from assay.mlperf.scoring.programs import code_problems

from .code_cases import CASES, Case

CASE = Case("q1", "f", (("1", "2"), ("3", "4")), "", True)


def packed(value: object) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


def with_cell(**cells: object) -> str:
    return json.dumps({**json.loads(CASE.line(is_packed=False)), **cells})


@pytest.mark.parametrize("is_packed", [True, False])
def test_a_problem_has_its_public_tests_first(tmp_path: Path, is_packed: bool) -> None:
    (tmp_path / "test.jsonl").write_text(f"\n{CASE.line(is_packed)}\n")
    problem = code_problems.find(tmp_path / "test.jsonl").problem("q1")
    assert problem is not None
    assert (problem.fn_name, problem.inputs, problem.outputs) == ("f", ("1", "3"), ("2", "4"))


def test_a_folder_holds_all_its_files_and_a_later_line_counts(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text("".join(f"{case.line(is_packed=True)}\n" for case in CASES[:3]))
    again = Case(CASES[0].id, None, (("5", "6"),), "", True)
    (tmp_path / "test2.jsonl").write_text(f"{CASES[4].line(is_packed=False)}\n{again.line(is_packed=False)}")
    (tmp_path / "rows.jsonl").write_text("no problems")
    files = code_problems.find(tmp_path)
    assert sorted(files.places) == sorted(case.id for case in (*CASES[:3], CASES[4]))
    problem = files.problem(CASES[0].id)
    assert problem is not None and (problem.fn_name, problem.inputs) == (None, ("5",))
    assert files.problem("nowhere") is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no problems"),
        ("{", "is no JSON"),
        ("[1]\n", "is no JSON object"),
        ('{"question_id": "a"}\n', "lacks public_test_cases, private_test_cases"),
    ],
)
def test_what_holds_no_problems_is_refused_with_the_form_that_it_needs(
    tmp_path: Path, content: str, words: str
) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(ArtifactError, match=words) as caught:
        code_problems.find(tmp_path / "a.jsonl")
    assert "code_generation_lite" in caught.value.hint


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such file of problems"):
        code_problems.find(tmp_path / "none.jsonl")
    with pytest.raises(ArtifactError, match="holds no problems"):
        code_problems.find(tmp_path)


@pytest.mark.parametrize(
    "cell",
    [
        "%%",
        base64.b64encode(b"no zlib").decode(),
        base64.b64encode(zlib.compress(pickle.dumps("[]"))[:-6]).decode(),
        packed(["a list"]),
        packed(Path("runs.code")),
        packed("{}"),
        packed('[{"input": 1, "output": "2"}]'),
        packed('[{"output": "2"}]'),
        packed('[{"input": "1", "output": "not JSON"}]'),
        "7",
    ],
)
def test_tests_that_cannot_be_read_are_refused_by_question(tmp_path: Path, cell: str) -> None:
    (tmp_path / "test.jsonl").write_text(with_cell(private_test_cases=cell))
    files = code_problems.find(tmp_path / "test.jsonl")
    with pytest.raises(ArtifactError, match="q1: its tests cannot be read"):
        files.problem("q1")


def test_packed_tests_unfold_to_a_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test.jsonl").write_text(with_cell(private_test_cases=packed("[" + " " * 5000 + "]")))
    files = code_problems.find(tmp_path)
    assert files.problem("q1") is not None
    monkeypatch.setattr(code_problems, "UNPACKED_MAX_BYTES", 4096)
    with pytest.raises(ArtifactError, match="cut short, or more than"):
        files.problem("q1")
