"""How hooks learn the version of a tool, and run a second script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract.hooks import HookProcessState
from assay.recipes.run.version_detection import VersionDetection
from tests.recipes.run.conftest import Make
from tests.recipes.run.hook_object import tool


def detecting(folder: Path, pattern: str = r"tool ([\d.]+)") -> dict[str, Any]:
    """The step of a recipe whose script asks the tool, and whose hook reads the answer."""
    folder.mkdir(exist_ok=True)
    (folder / "run.sh").write_text('"$CM_TOOL" > tmp-ver.out\n')
    (folder / "customize.py").write_text(
        "def detect_version(i):\n"
        f"    return i['automation'].parse_version({{'match_text': {pattern!r}, 'group_number': 1,\n"
        "        'env_key': 'CM_TOOL_VERSION', 'which_env': i['env']})\n"
    )
    from assay.recipes.contract.hooks import load_hooks

    hooks = load_hooks(folder, HookProcessState({}), None)
    assert hooks is not None
    return {"path": str(folder), "customize_code": hooks.module, "meta": {}}


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ({}, ["tool", "tool-9"]),
        ({"CM_VERSION": "9.4"}, ["tool-9"]),
        ({"CM_VERSION_MIN": "10"}, ["tool"]),
        ({"CM_VERSION_MAX": "9.9"}, ["tool-9"]),
        ({"CM_VERSION": "8"}, []),
    ],
)
def test_only_tools_of_a_fitting_version_are_taken(
    limits: dict[str, str], names: list[str], make: Make, tmp_path: Path
) -> None:
    automation = make()
    folder = tool(tmp_path / "bin", "tool", version="tool 12.1")
    tool(folder, "tool-9", version="tool 9.4")
    step = detecting(tmp_path / "recipe")
    step["customize_common_input"] = {"automation": automation}
    env: dict[str, Any] = dict(limits)
    found = automation.find_file_in_paths(
        {
            "paths": [str(folder)],
            "file_name": "tool",
            "select": True,
            "select_default": True,
            "detect_version": True,
            "env_path_key": "CM_TOOL",
            "env": env,
            "run_script_input": step,
        }
    )
    assert [Path(path).name for path in found["found_files"]] == names[:1]


@pytest.mark.parametrize(
    ("version", "limits", "answer"),
    [
        ("tool 12.1", {}, {"return": 0, "detected_version": "12.1"}),
        ("tool 12.1", {"CM_VERSION_MAX": "11"}, {"return": 16, "error": "version was not detected"}),
        ("another", {}, {"return": 16, "error": "version was not detected (another\n)"}),
    ],
)
def test_a_version_is_detected_by_script_and_hook(
    version: str, limits: dict[str, str], answer: dict[str, Any], make: Make, tmp_path: Path
) -> None:
    automation = make()
    step = detecting(tmp_path / "recipe")
    step["customize_common_input"] = {"automation": automation}
    env = {"CM_TOOL": f"{tool(tmp_path / 'bin', 'tool', version=version)}/tool", **limits}
    assert automation.detect_version_using_script({"env": env, "run_script_input": step}) == answer


def test_a_script_that_fails_detects_no_version(automation: VersionDetection, tmp_path: Path) -> None:
    step = detecting(tmp_path / "recipe")
    (tmp_path / "recipe/run.sh").write_text("exit 3\n")
    answer = automation.detect_version_using_script({"env": {}, "run_script_input": step})
    assert answer["return"] == 16 and "Portable CM script failed" in answer["error"]


def test_without_a_hook_no_version_comes_out(automation: VersionDetection, tmp_path: Path) -> None:
    answer = automation.detect_version_using_script({"env": {}, "run_script_input": {"path": str(tmp_path)}})
    assert answer == {"return": 16, "error": "version was not detected"}


@pytest.mark.parametrize(
    ("text", "asked", "number", "words"),
    [
        ("gcc 12.3.0", {"match_text": r"gcc (\d+)\.(\d+)", "group_number": 2}, 0, ""),
        ("clang", {"match_text": r"gcc (\d+)", "group_number": 1}, 1, "version was not detected (clang)"),
        ("gcc 12", {"match_text": r"gcc \d+", "group_number": 1}, 1, "has no group 1"),
        ("gcc 12", {"match_text": r"gcc (\d+)", "group_number": 2}, 1, "has no group 2"),
    ],
)
def test_a_version_is_read_out_of_what_a_script_printed(
    text: str, asked: dict[str, Any], number: int, words: str, automation: VersionDetection
) -> None:
    Path("tmp-ver.out").write_text(text)
    env: dict[str, Any] = {}
    answer = automation.parse_version({**asked, "env_key": "CM_V", "which_env": env})
    assert answer["return"] == number and words in answer.get("error", "")
    assert env == ({"CM_V": "3", "CM_DETECTED_VERSION": "3"} if number == 0 else {})


def test_a_version_file_that_is_not_there_is_number_16(automation: VersionDetection) -> None:
    answer = automation.parse_version({"match_text": "x", "group_number": 0, "file_name": "no.out"})
    assert answer == {"return": 16, "error": "file no.out was not found"}


def test_a_second_script_gives_its_env_apart_and_the_step_is_as_before(
    automation: VersionDetection, tmp_path: Path
) -> None:
    (tmp_path / "other.sh").write_text("echo CM_NEW=$CM_ASKED > tmp-run-env.out\n")
    step = {"path": str(tmp_path), "env": {"CM_OLD": "1"}, "state": {"s": 1}, "script_name": "main"}
    answer = automation.run_native_script(
        {"run_script_input": step, "script_name": "other", "env": {"CM_ASKED": "x"}}
    )
    assert answer["return"] == 0 and answer["env_tmp"]["CM_NEW"] == "x"
    assert "CM_OLD" not in answer["env_tmp"]
    assert step == {"path": str(tmp_path), "env": {"CM_OLD": "1"}, "state": {"s": 1}, "script_name": "main"}


def test_a_second_script_that_fails_is_an_answer(automation: VersionDetection, tmp_path: Path) -> None:
    (tmp_path / "other.sh").write_text("exit 4\n")
    step: dict[str, Any] = {"path": str(tmp_path)}
    answer = automation.run_native_script({"run_script_input": step, "script_name": "other"})
    assert answer["return"] == 2 and "exit 4" in answer["error"]
    assert step == {"path": str(tmp_path), "script_name": ""}
