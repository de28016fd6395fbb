"""Man pages hold every verb and option, and roff reads them."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from assay.cli import catalog, main, man


def rendered(text: str) -> str:
    """As a terminal shows it, hyphens as they are typed; roff's own warnings are failures."""
    if shutil.which("groff") is None:
        pytest.skip("no groff here")
    command = ["groff", "-man", "-Tascii", "-ww", "-P-cbou"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_the_page_of_all_names_every_verb_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man"]) == 0
    text = capsys.readouterr().out
    assert text.startswith('.TH "ASSAY" "1"')
    shown = rendered(text)
    assert all(
        f" {each.name} " in f"{shown} ".replace("\n", " ") for each in catalog.leaves(catalog.commands())
    )
    assert "a bug in Assay" in shown


def test_the_page_of_a_verb_names_every_option_as_it_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man", "bench"]) == 0
    shown = rendered(capsys.readouterr().out)
    assert "assay bench" in shown and "--min-duration T" in shown and "--sut SUT" in shown
    (bench,) = (each for each in catalog.commands() if each.name == "bench")
    assert all(option.names[-1] in shown for option in bench.options)


def test_a_verb_with_verbs_below_it_has_a_section_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man", "dataset"]) == 0
    text = capsys.readouterr().out
    assert ".SH OPTIONS OF BUILD" in text and r"\-\-only\-passing" in text
    assert main(["man", "dataset", "build"]) == 0
    assert capsys.readouterr().out.startswith('.TH "ASSAY-DATASET-BUILD" "1"')


def test_words_that_roff_would_obey_are_text() -> None:
    odd = catalog.OptionEntry(("--x",), (), "", (), False, False, ".so /etc/passwd \\fB 'quoted'\n.br")
    shown = rendered(man.page_of(catalog.CommandEntry(("odd",), "'tis odd", (), (odd,))))
    assert ".so /etc/passwd \\fB 'quoted' .br" in " ".join(shown.split())


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man", "check", "--json"]) == 0
    (check,) = json.loads(capsys.readouterr().out)["commands"]
    assert check["words"] == ["check"] and check["options"][-1]["names"] == ["-v", "--verbose"]


def test_an_unknown_verb_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man", "benhc"]) == 2
    assert "did you mean bench?" in capsys.readouterr().err
