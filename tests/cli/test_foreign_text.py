"""Names that others chose must not drive the reader's terminal, by whichever verb they are shown."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.cli.cm import UserConsole
from assay.cli.progress import ProgressLine
from assay.mlperf.sut.progress import Progress

HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9bm\nassay: all is well"


def lay(root: Path, path: str, text: str) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def tree(root: Path) -> list[str]:
    lay(root, f"closed/{HOSTILE}/results/{HOSTILE}/{HOSTILE}/Offline/x", "x")
    return ["check", str(root), "--round", "v5.1"]


def report(root: Path) -> list[str]:
    option = HOSTILE.replace("\n", "")
    text = f"# mixtral-8x7b, round v5.1\n```\nassay bench --{option} a --{option} b\n```\n## Accuracy\n`ROUGE1`: `1`\n"
    return ["audit", str(lay(root, f"{HOSTILE}/README.md", text).parents[1])]


def missing_file(root: Path) -> list[str]:
    return ["dataset", "inspect", str(root / f"{HOSTILE}.pkl")]


def unknown_verb(root: Path) -> list[str]:
    return [HOSTILE]


def recipe(root: Path) -> list[str]:
    lay(root, "cmr.yaml", "alias: own\nuid: 0123456789abcdef\n")
    lay(root, f"script/{HOSTILE}/_cm.json", "{")
    return ["recipe", "lint", str(root)]


def test_what_was_asked_stands_on_one_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "--sut", "echo", "--out", str(tmp_path), "--submitter", "a\n  sut  engine  (default)"]
    assert main(words) == 2
    assert "  sut  engine" not in capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("words", [tree, report, missing_file, unknown_verb, recipe])
def test_no_verb_prints_a_control_character_of_a_foreign_name(
    words: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(words)
    main(words(tmp_path / "given"))
    out, err = capsys.readouterr()
    assert "owned" in out + err
    assert (out + err).replace("\n", "").isprintable()


def test_json_stays_json_and_holds_the_name_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "\x1b[2J \x7f"
    lay(tmp_path, f"closed/Org/{name}/x", "x")
    main(["check", str(tmp_path), "--round", "v5.1", "--json"])
    printed = capsys.readouterr().out
    assert printed.strip().isprintable()
    assert name in [finding["found"] for finding in json.loads(printed)["findings"]]


def test_a_message_of_a_sut_cannot_rewrite_the_progress_line() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream)
    line.show(Progress("loading", message=HOSTILE))
    line.say(HOSTILE)
    assert "owned" in stream.getvalue()
    assert stream.getvalue().replace("\n", "").isprintable()


def test_a_note_of_a_recipe_begins_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    UserConsole().note(f"INFO:root:* cm run script {HOSTILE}")
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("INFO:root:* cm run script")
    assert second == "  assay: all is well"
