"""The helpers that hooks call on `automation`: dictionaries in, dictionaries out, and no exceptions."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from assay.recipes.contract.cm import CM
from assay.recipes.contract.hooks import HookProcessState
from assay.recipes.contract.mlc import MLC
from assay.recipes.run.automation import Automation
from assay.recipes.run.native import NativeScripts

Make = Callable[..., Automation]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """`make(answers, host)`: what the user answers, and the search variables of the process."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def made(answer: str | None = None, host: dict[str, str] | None = None, dialect: Any = CM) -> Automation:
        scripts = NativeScripts(dialect, HookProcessState({"PATH": os.environ["PATH"]}), lambda text: None)
        return Automation(
            dialect,
            scripts,
            access=lambda request, out=None: {"return": 0, "asked": request},
            ask=lambda question: answer,
            host_path=lambda name: (host or {}).get(name, ""),
            folder=tmp_path,
        )

    return made


@pytest.fixture
def automation(make: Make) -> Automation:
    return make()


def tool(folder: Path, *names: str, version: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(f"#!/bin/sh\necho {version or name}\n")
        (folder / name).chmod(0o755)
    return folder


# ---------------------------------------------------------------------- files


def test_a_name_is_found_with_the_version_numbers_behind_it(automation: Automation, tmp_path: Path) -> None:
    names = ["gcc", "gcc-9", "gcc-12", "gcc12", "gcc.1", "gcc1.2", "gcc10.15", "gcc-ar", "gcc-100", "xgcc"]
    folder = tool(tmp_path / "bin", *names)
    found = automation.find_file_in_paths({"paths": [str(folder)], "file_name": "gcc"})
    assert found["return"] == 0
    found_names = [Path(path).name for path in found["found_files"]]
    assert found_names[0] == "gcc"
    assert set(found_names) == {"gcc", "gcc-9", "gcc-12", "gcc12", "gcc.1", "gcc1.2", "gcc10.15"}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("ab[]*?1-.", min_size=1, max_size=4), st.text("ab1-.", min_size=1, max_size=4))
def test_a_folder_of_any_name_is_searched(make: Make, tmp_path: Path, place: str, name: str) -> None:
    assume(name not in (".", ".."))
    folder = tool(tmp_path / f"d{place}", name)
    found = make().find_file_in_paths({"paths": [str(folder)], "file_name": name})["found_files"]
    assert f"{folder}/{name}" in found


def test_one_file_under_two_names_is_one(automation: Automation, tmp_path: Path) -> None:
    folder = tool(tmp_path / "bin", "gcc")
    (folder / "gcc-9").symlink_to("gcc")
    (tmp_path / "same").symlink_to(folder)
    found = automation.find_file_in_paths({"paths": [str(folder), f"{tmp_path}/same"], "file_name": "gcc"})
    assert found["found_files"] == [f"{folder}/gcc"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"file_name": "lib*.so"}, ["liba.so", "libb.so"]),
        ({"file_name_re": r"lib[b-z]\.so$"}, ["libb.so"]),
        ({"file_name": "absent"}, []),
    ],
)
def test_a_pattern_finds_several(
    asked: dict[str, str], names: list[str], automation: Automation, tmp_path: Path
) -> None:
    folder = tool(tmp_path / "lib", "libb.so", "liba.so", "other")
    found = automation.find_file_in_paths({"paths": ["", str(folder), "/nowhere"], **asked})
    assert [Path(path).name for path in found["found_files"]] == names


def test_a_hook_says_which_files_count_and_may_end_the_search(automation: Automation, tmp_path: Path) -> None:
    folder = tool(tmp_path / "bin", "gcc", "gcc-9")

    def skip_plain(asked: dict[str, Any]) -> dict[str, Any]:
        return {"return": 0, "skip": asked["file"].endswith("gcc")}

    asked = {"paths": [str(folder)], "file_name": "gcc", "hook": skip_plain}
    assert automation.find_file_in_paths(asked)["found_files"] == [f"{folder}/gcc-9"]
    refused = {"return": 5, "error": "enough"}
    assert automation.find_file_in_paths({**asked, "hook": lambda i: refused}) == refused


@pytest.mark.parametrize(
    ("answer", "default", "name"),
    [
        ("1", False, "gcc-9"),
        ("", False, "gcc"),
        (None, False, "gcc"),
        ("2", False, "gcc"),
        ("x", False, "gcc"),
        ("²", False, "gcc"),
        ("1", True, "gcc"),
    ],
)
def test_of_several_the_user_selects_and_quiet_takes_the_first(
    answer: str | None, default: bool, name: str, make: Make, tmp_path: Path
) -> None:
    folder = tool(tmp_path / "bin", "gcc", "gcc-9")
    asked = {"paths": [str(folder)], "file_name": "gcc", "select": True, "select_default": default}
    assert make(answer).find_file_in_paths(asked)["found_files"] == [f"{folder}/{name}"]


def test_folders_below_are_searched_for_a_file(automation: Automation, tmp_path: Path) -> None:
    for place in ("a/include", "b/include", "b/other"):
        tool(tmp_path / place, "x.h")
    (tmp_path / "c/x.h").mkdir(parents=True)  # a folder is no file
    asked = {"paths": [str(tmp_path), "/nowhere"], "file_name": "x.h"}
    places = [f"{tmp_path}/{place}" for place in ("a/include", "b/include", "b/other")]
    assert automation.find_file_deep(asked) == {"return": 0, "found_paths": places}
    restricted = automation.find_file_deep({**asked, "restrict_paths": ["b/", "nothing"]})
    assert restricted["found_paths"] == places[1:]


def test_the_nearest_folder_upwards_with_a_file_is_found(automation: Automation, tmp_path: Path) -> None:
    inner = tool(tmp_path / "a/b", "other")
    tool(tmp_path / "a", "mark")
    assert (
        automation.find_file_back({"path": str(inner), "file_name": "mark"})["found_path"] == f"{tmp_path}/a"
    )
    assert automation.find_file_back({"path": str(inner), "file_name": "no"}) == {
        "return": 0,
        "found_path": "",
    }


# ---------------------------------------------------------------------- an artifact


def test_a_tool_outside_the_search_path_is_put_in_front_of_it(make: Make, tmp_path: Path) -> None:
    usual, special = tool(tmp_path / "usual", "gcc"), tool(tmp_path / "special/bin", "gcc")
    (tmp_path / "special/lib").mkdir()
    automation = make(host={"PATH": str(usual)})
    env: dict[str, Any] = {"CM_TMP_PATH": str(special), "+PATH": ["/before"]}
    asked = {
        "file_name": "gcc",
        "env": env,
        "default_path_env_key": "PATH",
        "env_path_key": "CM_GCC",
        "extra_paths": {"lib": "+LD", "absent": "+NO"},
    }
    found = automation.find_artifact(asked)
    assert found == {
        "return": 0,
        "found_path": str(special),
        "found_file_path": f"{special}/gcc",
        "found_file_name": "gcc",
        "default_path_list": [str(usual)],
    }
    assert env["CM_GCC"] == f"{special}/gcc"
    assert env["+PATH"] == [str(special), "/before"] and env["+LD"] == [f"{tmp_path}/special/lib"]
    assert "+NO" not in env
    automation.find_artifact(asked)
    assert env["+PATH"] == [str(special), "/before"]  # once is enough


def test_a_tool_on_the_search_path_leaves_it_alone(make: Make, tmp_path: Path) -> None:
    usual = tool(tmp_path / "usual", "gcc")
    env: dict[str, Any] = {}
    found = make(host={"PATH": f"/nowhere:{usual}"}).find_artifact(
        {"file_name": "gcc", "env": env, "default_path_env_key": "PATH"}
    )
    assert (found["return"], found["found_path"], env) == (0, str(usual), {})


def test_an_input_forces_the_file_and_must_be_there(automation: Automation, tmp_path: Path) -> None:
    folder = tool(tmp_path / "bin", "my-gcc")
    env = {"CM_INPUT": f" {folder}/my-gcc "}
    found = automation.find_artifact({"file_name": "gcc", "env": env})
    assert found["found_file_path"] == f"{folder}/my-gcc"
    answer = automation.find_artifact({"file_name": "gcc", "env": {"CM_INPUT": "/no/gcc"}})
    assert answer == {"return": 1, "error": "file /no/gcc doesn't exist"}


def test_a_folder_that_was_asked_for_must_be_there_unless_that_is_ignored(
    automation: Automation, tmp_path: Path
) -> None:
    folder = tool(tmp_path / "bin", "gcc")
    env = {"CM_TMP_PATH": f"/no/where:{folder}"}
    assert automation.find_artifact({"file_name": "gcc", "env": env}) == {
        "return": 1,
        "error": "path /no/where doesn't exist",
    }
    env["CM_TMP_PATH_IGNORE_NON_EXISTANT"] = "yes"
    assert automation.find_artifact({"file_name": "gcc", "env": env})["found_path"] == str(folder)


def test_what_is_nowhere_is_number_16(automation: Automation) -> None:
    answer = automation.find_artifact({"file_name": "no-such-tool", "env": {}})
    assert answer == {"return": 16, "error": "no-such-tool not found"}


# ---------------------------------------------------------------------- versions


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


def test_a_script_that_fails_detects_no_version(automation: Automation, tmp_path: Path) -> None:
    step = detecting(tmp_path / "recipe")
    (tmp_path / "recipe/run.sh").write_text("exit 3\n")
    answer = automation.detect_version_using_script({"env": {}, "run_script_input": step})
    assert answer["return"] == 16 and "Portable CM script failed" in answer["error"]


def test_without_a_hook_no_version_comes_out(automation: Automation, tmp_path: Path) -> None:
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
    text: str, asked: dict[str, Any], number: int, words: str, automation: Automation
) -> None:
    Path("tmp-ver.out").write_text(text)
    env: dict[str, Any] = {}
    answer = automation.parse_version({**asked, "env_key": "CM_V", "which_env": env})
    assert answer["return"] == number and words in answer.get("error", "")
    assert env == ({"CM_V": "3", "CM_DETECTED_VERSION": "3"} if number == 0 else {})


def test_a_version_file_that_is_not_there_is_number_16(automation: Automation) -> None:
    answer = automation.parse_version({"match_text": "x", "group_number": 0, "file_name": "no.out"})
    assert answer == {"return": 16, "error": "file no.out was not found"}


# ---------------------------------------------------------------------- scripts and the rest


def test_a_second_script_gives_its_env_apart_and_the_step_is_as_before(
    automation: Automation, tmp_path: Path
) -> None:
    (tmp_path / "other.sh").write_text("echo CM_NEW=$CM_ASKED > tmp-run-env.out\n")
    step = {"path": str(tmp_path), "env": {"CM_OLD": "1"}, "state": {"s": 1}, "script_name": "main"}
    answer = automation.run_native_script(
        {"run_script_input": step, "script_name": "other", "env": {"CM_ASKED": "x"}}
    )
    assert answer["return"] == 0 and answer["env_tmp"]["CM_NEW"] == "x"
    assert "CM_OLD" not in answer["env_tmp"]
    assert step == {"path": str(tmp_path), "env": {"CM_OLD": "1"}, "state": {"s": 1}, "script_name": "main"}


def test_a_second_script_that_fails_is_an_answer(automation: Automation, tmp_path: Path) -> None:
    (tmp_path / "other.sh").write_text("exit 4\n")
    step: dict[str, Any] = {"path": str(tmp_path)}
    answer = automation.run_native_script({"run_script_input": step, "script_name": "other"})
    assert answer["return"] == 2 and "exit 4" in answer["error"]
    assert step == {"path": str(tmp_path), "script_name": ""}


def test_named_dependencies_are_given_tags(automation: Automation) -> None:
    deps = [{"tags": "get,gcc", "names": ["compiler"]}, {"tags": "get,os"}]
    asked = {"deps": deps, "update_deps": {"compiler": {"tags": "_new", "version": "12"}}}
    assert automation.update_deps(asked) == {"return": 0}
    assert deps[0]["version"] == "12" and "_new" in str(deps[0]["tags"])
    assert deps[1] == {"tags": "get,os"}


def test_working_files_of_a_script_are_removed_and_others_stay(automation: Automation) -> None:
    for name in ("tmp-run.sh", "tmp-run-env.out", "tmp-ver.out", "mine.txt"):
        Path(name).write_text("")
    assert automation.clean_some_tmp_files({}) == {"return": 0}
    assert {path.name for path in Path().iterdir()} == {"mine.txt"}


@pytest.mark.parametrize(
    ("meta", "names"), [({"variations": {"a": {}, "b": {}}}, ["a", "b"]), ({}, []), (None, [])]
)
def test_the_variations_of_a_description_are_listed(
    meta: Any, names: list[str], automation: Automation
) -> None:
    assert automation._available_variations({"meta": meta}) == {"return": 0, "variations": names}


@pytest.mark.parametrize("dialect", [CM, MLC])
def test_hooks_find_the_runner_and_a_logger_by_the_names_they_know(dialect: Any, make: Make) -> None:
    automation = make(dialect=dialect)
    assert automation.cmind.access("x")["asked"] == automation.action_object.access("x")["asked"] == "x"
    assert automation.logger.name == automation.cmind.logger.name == "assay.recipes"
    assert automation.meta["alias"] == "script" and re.fullmatch("[0-9a-f]{16}", automation.meta["uid"])
    assert all(key.startswith(dialect.prefix) for key in automation.local_env_keys)
