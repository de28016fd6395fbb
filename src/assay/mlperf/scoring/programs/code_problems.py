"""Problems of LiveCodeBench with their tests, read from the files that Hugging Face holds.

Source of the format: lcb_runner/benchmarks/code_generation.py of LiveCodeBench b1e7cab, and the data set
livecodebench/code_generation_lite: `test.jsonl` is release_v1, with `test2.jsonl` to `test6.jsonl` it is release_v6.
"""

from __future__ import annotations

import base64
import binascii
import json
import pickle
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.ground import paths
from assay.ground.errors import ArtifactError
from assay.mlperf.data import pickle_values
from assay.mlperf.data.pickle_values import PickledName

UNPACKED_MAX_BYTES = 1 << 30
"""Most bytes that the tests of one problem may take when they are unpacked."""
HINT = "test.jsonl to test6.jsonl of livecodebench/code_generation_lite have this form"


@dataclass(frozen=True)
class CodeProblem:
    """The tests of one problem: public ones first, as they are run."""

    fn_name: str | None
    """The function that is called; None = the program reads standard input and prints."""
    inputs: tuple[str, ...] = field(repr=False)
    outputs: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class ProblemFiles:
    """Where each problem stands in one file or several. Tests take gigabytes: each is read when it is asked for."""

    path: Path
    """The file, or the folder of them."""
    places: Mapping[str, tuple[Path, int]] = field(repr=False)
    """Question id -> file and offset of its line."""

    def problem(self, question_id: str) -> CodeProblem | None:
        """None for a problem that the files do not hold. Raises: ArtifactError for a line without readable tests."""
        if question_id not in self.places:
            return None
        path, offset = self.places[question_id]
        with path.open("rb") as file:
            file.seek(offset)
            return _problem(_row(path, file.readline()), f"{path}, {question_id}")


def find(path: Path) -> ProblemFiles:
    """The problems of a .jsonl file, or of all test*.jsonl of a folder; a later line of the same id counts.

    Raises: ArtifactError for what holds no such problems.
    """
    files = sorted(path.glob("test*.jsonl")) if path.is_dir() else [paths.source(path)]
    places: dict[str, tuple[Path, int]] = {}
    for each in files:
        if not each.is_file():
            raise ArtifactError(f"{path}: no such file of problems", HINT)
        with each.open("rb") as file:
            offset = 0
            for line in file:
                if line.strip():
                    places[_question_id(_row(each, line), each)] = (each, offset)
                offset += len(line)
    if not places:
        raise ArtifactError(f"{path} holds no problems of LiveCodeBench", HINT)
    return ProblemFiles(path, places)


def _row(path: Path, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path}: a line is no JSON ({error})", HINT) from error
    if not isinstance(row, dict):
        raise ArtifactError(f"{path}: a line is no JSON object", HINT)
    return row


def _question_id(row: Mapping[str, Any], path: Path) -> str:
    lacks = [name for name in ("question_id", "public_test_cases", "private_test_cases") if name not in row]
    if lacks:
        raise ArtifactError(f"{path}: a line lacks {', '.join(lacks)}", HINT)
    return str(row["question_id"])


def _problem(row: Mapping[str, Any], where: str) -> CodeProblem:
    try:
        tests = [*_tests(row["public_test_cases"]), *_tests(row["private_test_cases"])]
        metadata = json.loads(row.get("metadata") or "{}")
        fn_name = metadata.get("func_name")
        inputs, outputs = tuple(t["input"] for t in tests), tuple(t["output"] for t in tests)
        if not all(isinstance(text, str) for text in (*inputs, *outputs)):
            raise ValueError("a test that is no text")
        if fn_name is not None:
            for text in outputs:
                json.loads(text)
        return CodeProblem(None if fn_name is None else str(fn_name), inputs, outputs)
    except (ValueError, TypeError, KeyError, AttributeError, LookupError, RecursionError) as error:
        raise ArtifactError(f"{where}: its tests cannot be read ({str(error)[:200]})", HINT) from error


def _tests(cell: str) -> list[dict[str, Any]]:
    """A JSON list, as it stands or packed: base64 of zlib of a pickled text."""
    try:
        found = json.loads(cell)
    except ValueError:
        found = json.loads(_unpacked(cell))
    if not isinstance(found, list):
        raise ValueError("no list of tests")
    return found


def _unpacked(cell: str) -> str:
    """Raises: ValueError. The pickle is read as data; one that names anything is refused."""
    try:
        reader = zlib.decompressobj()
        content = reader.decompress(base64.b64decode(cell, validate=True), UNPACKED_MAX_BYTES)
        if not reader.eof:
            raise ValueError(f"cut short, or more than {UNPACKED_MAX_BYTES >> 20} MiB")
        text = pickle_values.load(content, _refuse, lambda called: called)
    except (binascii.Error, zlib.error, pickle.UnpicklingError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(text, str):
        raise ValueError("the packed tests are no text")
    return text


def _refuse(name: PickledName) -> None:
    raise ValueError(f"the packed tests name {name}")
