"""How hooks find a tool: dictionaries in, dictionaries out, and no exceptions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from assay.recipes.run.tool_search import ToolSearch
from tests.recipes.run.conftest import Make
from tests.recipes.run.hook_object import tool


def test_a_name_is_found_with_the_version_numbers_behind_it(automation: ToolSearch, tmp_path: Path) -> None:
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


def test_one_file_under_two_names_is_one(automation: ToolSearch, tmp_path: Path) -> None:
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
    asked: dict[str, str], names: list[str], automation: ToolSearch, tmp_path: Path
) -> None:
    folder = tool(tmp_path / "lib", "libb.so", "liba.so", "other")
    found = automation.find_file_in_paths({"paths": ["", str(folder), "/nowhere"], **asked})
    assert [Path(path).name for path in found["found_files"]] == names


def test_a_hook_says_which_files_count_and_may_end_the_search(automation: ToolSearch, tmp_path: Path) -> None:
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


def test_folders_below_are_searched_for_a_file(automation: ToolSearch, tmp_path: Path) -> None:
    for place in ("a/include", "b/include", "b/other"):
        tool(tmp_path / place, "x.h")
    (tmp_path / "c/x.h").mkdir(parents=True)  # a folder is no file
    asked = {"paths": [str(tmp_path), "/nowhere"], "file_name": "x.h"}
    places = [f"{tmp_path}/{place}" for place in ("a/include", "b/include", "b/other")]
    assert automation.find_file_deep(asked) == {"return": 0, "found_paths": places}
    restricted = automation.find_file_deep({**asked, "restrict_paths": ["b/", "nothing"]})
    assert restricted["found_paths"] == places[1:]


def test_the_nearest_folder_upwards_with_a_file_is_found(automation: ToolSearch, tmp_path: Path) -> None:
    inner = tool(tmp_path / "a/b", "other")
    tool(tmp_path / "a", "mark")
    assert (
        automation.find_file_back({"path": str(inner), "file_name": "mark"})["found_path"] == f"{tmp_path}/a"
    )
    assert automation.find_file_back({"path": str(inner), "file_name": "no"}) == {
        "return": 0,
        "found_path": "",
    }


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


def test_an_input_forces_the_file_and_must_be_there(automation: ToolSearch, tmp_path: Path) -> None:
    folder = tool(tmp_path / "bin", "my-gcc")
    env = {"CM_INPUT": f" {folder}/my-gcc "}
    found = automation.find_artifact({"file_name": "gcc", "env": env})
    assert found["found_file_path"] == f"{folder}/my-gcc"
    answer = automation.find_artifact({"file_name": "gcc", "env": {"CM_INPUT": "/no/gcc"}})
    assert answer == {"return": 1, "error": "file /no/gcc doesn't exist"}


def test_a_folder_that_was_asked_for_must_be_there_unless_that_is_ignored(
    automation: ToolSearch, tmp_path: Path
) -> None:
    folder = tool(tmp_path / "bin", "gcc")
    env = {"CM_TMP_PATH": f"/no/where:{folder}"}
    assert automation.find_artifact({"file_name": "gcc", "env": env}) == {
        "return": 1,
        "error": "path /no/where doesn't exist",
    }
    env["CM_TMP_PATH_IGNORE_NON_EXISTANT"] = "yes"
    assert automation.find_artifact({"file_name": "gcc", "env": env})["found_path"] == str(folder)


def test_what_is_nowhere_is_number_16(automation: ToolSearch) -> None:
    answer = automation.find_artifact({"file_name": "no-such-tool", "env": {}})
    assert answer == {"return": 16, "error": "no-such-tool not found"}
