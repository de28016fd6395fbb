"""What `--repro` and the other flags for records leave, under the names and with the contents of cmind 4.2.0."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.actions.dispatch import perform
from assay.recipes.contract.mlc import MLC
from assay.recipes.contract.mlc_argv import parse
from assay.recipes.errors import RecipeFailed
from assay.recipes.home.repositories import Home
from assay.recipes.run.console import Quiet
from assay.recipes.run.context import Context

from .conftest import Kit


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(name).read_text())
    return found


def test_repro_writes_cms_files_and_its_output_into_the_working_folder(kit: Kit) -> None:
    kit.recipe("leaf")
    kit.recipe("root", deps=[{"tags": "leaf"}], env={"CM_R": "1"}, new_env_keys=["CM_R"])
    kit.run("root", "--repro", "--dump_version_info")
    assert files() == [
        "cm-output.json",
        "cm-repro/cm-run-script-README-cm.md",
        "cm-repro/cm-run-script-info.json",
        "cm-repro/cm-run-script-input.json",
        "cm-repro/cm-run-script-output.json",
        "cm-repro/cm-run-script-run-state.json",
        "cm-run-script-versions.json",
        "version_info.json",
    ]
    output = load("cm-output.json")
    assert output["output"]["new_env"] == {"CM_R": "1"}
    assert output["input"]["tags"] == "root"
    assert output["state"]["script_id"].startswith("root,")
    assert list(output["version_info"]) == ["leaf", "root"]
    assert output["acm_ctuning_repro_badge_available"] is output["acm_ctuning_repro_badge_functional"] is True
    assert load("cm-repro/cm-run-script-run-state.json")["deps"] == ["leaf"]
    assert load("cm-repro/cm-run-script-info.json").keys() == {
        *("host_os_name", "host_system", "host_os_release", "host_machine", "host_architecture"),
        *("host_python_version", "host_sys_version", "run_uid", "run_iso_datetime"),
    }


def test_the_folder_and_the_beginning_of_the_names_can_be_chosen(kit: Kit) -> None:
    kit.recipe("r")
    kit.run("r", "--repro", "--repro_dir=there", "--repro_prefix=my")
    assert files() == [
        "cm-output.json",
        *(
            f"there/my-{name}"
            for name in ("README-cm.md", "info.json", "input.json", "output.json", "run-state.json")
        ),
    ]
    assert "version_info" not in load("cm-output.json")


def test_a_failed_script_is_told_in_the_same_files(kit: Kit) -> None:
    kit.recipe("r", run="exit 3\n")
    Path("cm-output.json").write_text("of an earlier run")
    with pytest.raises(RecipeFailed):
        kit.run("r", "--repro")
    output = load("cm-output.json")
    assert output["output"]["return"] == 2
    assert "acm_ctuning_repro_badge_available" not in output
    assert "cm-repro/cm-run-script-output.json" in files()


def test_records_have_the_names_and_commands_of_mlc_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "mlc", MLC)
    for name, deps in (("leaf", []), ("root", [{"tags": "leaf"}])):
        folder = home.folder / "tests@small" / "script" / name
        folder.mkdir(parents=True)
        (folder / "meta.yaml").write_text(
            json.dumps({"alias": name, "uid": f"{name:0>16}", "tags": [name], "deps": deps})
        )
    (home.folder / "tests@small" / "meta.yaml").write_text("alias: tests@small\nuid: 00000000000000aa\n")
    home.register(home.folder / "tests@small")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    console = Quiet()
    words = [
        "run",
        "script",
        "--tags=root",
        "--print_deps",
        "--print_readme",
        "--dump_version_info",
        "--user_python",
    ]
    perform(Context(home, console, {"PATH": os.environ["PATH"]}), parse(words, interactive=False))
    assert files() == ["README-mlc.md", "mlc-run-script-versions.json", "version_info.json"]
    assert "\nmlc run script" in Path("README-mlc.md").read_text()
    assert "INFO:root:mlcr leaf" in console.noted
