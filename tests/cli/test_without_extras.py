"""Every verb in an environment without extras: it does its work, or names the command that installs what it lacks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from assay.ground import extras
from tests.cli.test_json import COMMANDS, place
from tests.mock_server import mock

__all__ = ["place"]  # the fixture

ALONE = """
import contextlib, io, json, sys
sys.modules.update(dict.fromkeys({libraries!r}))
from assay.cli import main
found = {{}}
for verb, words in json.loads(sys.stdin.read()).items():
    told = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(told):
        code = main([*verb.split(), *words])
    found[verb] = code, told.getvalue()
print(json.dumps(found))
"""
"""One process for all verbs, with the libraries of every extra hidden."""
NEEDS = {
    **dict.fromkeys(("bench", "load", "tune", "import", "compare", "answers", "compliance"), "parquet"),
    **dict.fromkeys(("dataset convert", "dataset build"), "parquet"),
    **dict.fromkeys(("model random", "model pack", "parity"), "engine"),
}
"""Verb -> the extra that its command in COMMANDS cannot do without."""


@pytest.mark.slow
def test_every_verb_works_or_names_its_extra(place: Path) -> None:
    with mock(ttft_ms=1, tokens=2) as server:
        commands = {
            verb: [server.text if word == "URL" else word for word in words]
            for verb, words in COMMANDS.items()
            if verb != "doctor"  # builds kernels
        }
        done = subprocess.run(
            [sys.executable, "-c", ALONE.format(libraries=sorted(extras.LIBRARIES))],
            input=json.dumps(commands),
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert not any("a bug" in said or "Traceback" in said for _, said in found.values())
    named = {
        verb: re.search(r"pip install 'assay-bench\[(\w+)\]'", said) for verb, (_, said) in found.items()
    }
    assert {verb: match[1] for verb, match in named.items() if match} == NEEDS
