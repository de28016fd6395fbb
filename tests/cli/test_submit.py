"""`assay submit`: what is said of the tree, and what is left out on request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli import submit
from assay.ground.errors import ArtifactError, AssayError, ConfigError
from assay.ground.files import sha256
from tests import fakes
from tests.cli.words import parsed
from tests.mlperf import run_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_folder.write(tmp_path / "run")


def asked(folder: Path, *more: str) -> list[str]:
    return [
        str(folder),
        "--submitter",
        "Tester",
        "--out",
        str(folder.parent / "tree"),
        "--system",
        "box",
        *more,
    ]


def test_the_tree_is_written_packed_and_checked_by_the_round_of_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit.run(parsed(submit, *asked(folder))) == 0
    out = capsys.readouterr().out
    archive = folder.parent / "tree.tar.gz"
    assert out.splitlines()[-1] == f"{archive}: sha256 {sha256(archive)}"
    assert f"{folder.parent / 'tree'}: 2 results written" in out and "round v5.1: " in out
    assert (folder.parent / "tree/open/Tester/results/box").is_dir()


def test_without_packing_there_is_no_archive(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert submit.run(parsed(submit, *asked(folder, "--no-pack", "--json"))) == 0
    assert json.loads(capsys.readouterr().out)["packed"] is None
    assert not (folder.parent / "tree.tar.gz").exists()


def test_json_is_the_report_with_tree_and_archive(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert submit.run(parsed(submit, *asked(folder, "--division", "closed", "--json"))) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["tree"] == str(folder.parent / "tree") and told["unknown"] == {}
    assert told["packed"]["sha256"] == sha256(folder.parent / "tree.tar.gz")
    assert told["summary"]["round"] == "v5.1"


def test_fields_that_nobody_knows_are_named_with_the_way_to_give_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads((folder / "result.json").read_text())
    del record["system"]["cooling"]
    (folder / "result.json").write_text(json.dumps(record))
    submit.run(parsed(submit, *asked(folder)))
    assert "not known of box, left empty: cooling" in capsys.readouterr().out
    given = folder.parent / "system.toml"
    given.write_text('cooling = "air"\n')
    submit.run(parsed(submit, *asked(folder, "--system-file", str(given), "--system", "other")))
    assert "not known of" not in capsys.readouterr().out


@pytest.mark.parametrize("toml", ["= 1", "no_such_field = 1"])
def test_a_system_file_with_a_fault_is_an_error(toml: str, folder: Path) -> None:
    given = folder.parent / "system.toml"
    given.write_text(toml)
    with pytest.raises((ConfigError, ArtifactError)):
        submit.run(parsed(submit, *asked(folder, "--system-file", str(given))))


def test_a_round_that_does_not_exist_is_an_error(folder: Path) -> None:
    with pytest.raises(ConfigError, match="v99"):
        submit.run(parsed(submit, *asked(folder, "--round", "v99")))


@pytest.mark.parametrize("division", ["", "half-open"])
def test_a_division_that_does_not_exist_is_refused(division: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match="--division"):
        parsed(submit, *asked(folder, "--division", division))


def test_fake_runs_are_taken_only_where_that_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    fakes.result(is_fake=True).write(tmp_path / "run")
    with pytest.raises(AssayError, match="fake"):
        submit.run(parsed(submit, *asked(tmp_path / "run")))
    assert not (tmp_path / "tree").exists()
