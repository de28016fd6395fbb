"""What cmind 4.2.0 and mlcflow 1.3.8 did with our own small recipes, against what this runner does with them.

The records are written by compare.py: recorded.json and recorded-mlc.json.
"""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.actions.dispatch import perform
from assay.recipes.contract import argv, mlc_argv
from assay.recipes.contract.dialects import DIALECTS
from assay.recipes.errors import RecipeFault
from assay.recipes.home.repositories import Home
from assay.recipes.run.console import Quiet
from assay.recipes.run.context import Context

from .compare import RESULT_FLAGS, Seen, calls, entries, lines_of, stable
from .own import write_recipes
from .probe import GivenToHook

RECORDS = {"cm": "recorded.json", "mlc": "recorded-mlc.json"}
RECORDED = {tool: json.loads((Path(__file__).parent / name).read_text()) for tool, name in RECORDS.items()}


def seen(home: Home, line: str) -> dict[str, Any]:
    """One command line in process, in the form of the record."""
    tool = home.dialect.name
    words = shlex.split(line)
    if words[0] == "mlcr":
        words = ["run", "script", *words[1:]]
    if words[:2] == ["run", "script"]:
        words += [*RESULT_FLAGS[tool], "--user_python"]
    console = Quiet()
    answer: dict[str, Any] = {}
    try:
        inputs = argv.parse(words) if tool == "cm" else mlc_argv.parse(words, interactive=False)
        answer = perform(Context(home, console, {"PATH": os.environ["PATH"]}), inputs)
        code = 0
    except RecipeFault as fault:
        code = fault.code if tool == "cm" else 1
    return {
        "command": line,
        "code": code,
        "calls": calls("\n".join(console.noted)),
        "new_env": stable(answer.get("new_env", {})),
        "new_state": stable(answer.get("new_state", {})),
        "entries": entries(home.folder),
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], dict[str, Any]]:
    """All command lines in their order, each on the home it was recorded on."""
    found = {}
    before = Path.cwd()
    for tool, records in RECORDED.items():
        homes: dict[int, Home] = {}
        for number, record in enumerate(records):
            if record["home"] not in homes:
                root = tmp_path_factory.mktemp(tool)
                homes[record["home"]] = home = Home(root / "home", DIALECTS[tool])
                home.folder.mkdir(parents=True)
                home.register(write_recipes(home.folder, tool))
                folder = root / "work"
                folder.mkdir()
                os.chdir(folder)
            result = {"home": record["home"], **seen(homes[record["home"]], record["command"])}
            found[tool, number] = json.loads(json.dumps(result).replace(str(folder), "FOLDER"))
    os.chdir(before)
    return found


CASES = [(tool, number) for tool, records in RECORDED.items() for number in range(len(records))]


@pytest.mark.parametrize(
    ("tool", "number"), CASES, ids=[f"{tool}: {RECORDED[tool][n]['command'][:70]}" for tool, n in CASES]
)
def test_the_runner_does_what_the_tool_did(
    runs: dict[tuple[str, int], dict[str, Any]], tool: str, number: int
) -> None:
    assert runs[tool, number] == RECORDED[tool][number]


def test_lines_are_counted_for_each_value_call_place_entry_and_file() -> None:
    one = Seen(
        0,
        ["* cm run script x"],
        {"new_env": {"A": 1, "DISK": 5}, "new_state": {"b": {"c": [1], "d": {}}}},
        ["tag"],
        hooks=[
            GivenToHook("x", "preprocess", {"i": ["dict"], "i.input.user_python": ["bool"]}, {"A": 1}, {})
        ],
        contents={"tag": {"new_env": {"B": 2}}},
        left=["out.txt"],
    )
    assert lines_of(one) == Counter(
        [
            "exit code 0",
            "call * cm run script x",
            "new_env A 1",
            "new_state b c [1]",
            "entry tag new_env B 2",
            "hook 0, preprocess of x: env A 1",
            "hook 0, preprocess of x: i ['dict']",
            "entry tag",
            "file out.txt",
        ]
    )
    other = replace(one, code=1, left=[])
    assert (lines_of(one) & lines_of(other)).total() == 7 and (lines_of(one) | lines_of(other)).total() == 10
