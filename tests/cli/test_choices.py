"""`assay list`: every word that it shows can be asked for."""

from __future__ import annotations

import argparse
import json

import pytest

from assay.cli import choices
from assay.doors import config_options


def test_every_word_of_the_list_is_taken_by_the_door() -> None:
    texts = {option.removeprefix("--"): words for option, words in choices.choices().items()}
    for workload in texts.pop("WORKLOAD"):
        assert config_options.build(workload, {}, {}).workload == workload
    fields = {field.flag.removeprefix("--"): field.name for field in config_options.FIELDS}
    for flag, words in texts.items():
        for word in words:
            config_options.build(None, {fields[flag]: word}, {})


def test_the_words_are_those_of_the_rounds_and_of_the_suts() -> None:
    found = choices.choices()
    assert {"v4.1", "v5.0", "v5.1"} <= set(found["--round"])
    assert {"echo", "transformers", "engine"} <= set(found["--sut"])
    assert "int4" not in found["--precision"]
    assert {"offline", "server"} <= set(found["--scenario"]) and "multistream" not in found["--scenario"]


def test_json_holds_the_same_by_plain_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert choices.run(argparse.Namespace(json=True)) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told.values()) == list(choices.choices().values())
    assert {"workload", "round", "sut", "scenario"} <= set(told)


def test_the_table_has_a_line_for_each_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert choices.run(argparse.Namespace(json=False)) == 0
    out = capsys.readouterr().out
    for name, words in choices.choices().items():
        assert f"{name} {', '.join(words)} " in f"{' '.join(out.split())} "
    assert max(map(len, out.partition("--sut echo")[0].splitlines())) <= 80
