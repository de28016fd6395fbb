import sys
from pathlib import Path

import pytest

from assay.ground.errors import EnvironmentProblem
from assay.mlperf.scoring.programs import tools


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_tool_outside_usr_is_seen_below_opt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _program(tmp_path / "kit" / "bin" / "assay-made-up")
    monkeypatch.setenv("PATH", str(made.parent))
    inside, readable = tools.executable("assay-made-up", "none")
    assert inside == "/opt/assay-made-up/bin/assay-made-up"
    assert readable == {"assay-made-up": made.parent.parent}


def test_a_missing_tool_names_its_package() -> None:
    with pytest.raises(EnvironmentProblem, match="assay-made-up is not installed") as caught:
        tools.executable("assay-made-up", "made-up")
    assert caught.value.hint == "apt-get install made-up"


def test_without_a_python_of_the_machine_ours_runs_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "PATH", "/nowhere")
    assert tools.system_python() == tools.our_python()


def test_our_python_is_named_where_the_sandbox_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = _program(tmp_path / "bin" / "python3")
    monkeypatch.setattr(sys, "executable", str(elsewhere))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    assert tools.our_python() == ("/opt/python/bin/python3", {"python": tmp_path})
    monkeypatch.setattr(sys, "executable", "/usr/bin/env")
    assert tools.our_python() == (str(Path("/usr/bin/env").resolve()), {})


def test_node_packages_are_taken_from_the_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tools, "__file__", str(tmp_path / "a" / "b" / "c" / "d" / "e" / "tools.py"))
    monkeypatch.setattr(tools.settings, "home", lambda: tmp_path / "home")
    with pytest.raises(EnvironmentProblem, match="node packages of MBXP") as caught:
        tools.node_modules()
    assert f"npm ci --ignore-scripts --prefix {tmp_path / 'home' / 'mbxp'}" in str(caught.value.hint)
    for name in tools.NODE_PACKAGES:
        (tmp_path / "home" / "mbxp" / "node_modules" / name).mkdir(parents=True)
    assert tools.node_modules() == tmp_path / "home" / "mbxp" / "node_modules"


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tools.packages("numpy")["numpy"].name == "numpy"
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentProblem, match="sympy"):
        tools.packages("sympy")


def test_a_compiler_that_cannot_make_the_header_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compiler = tmp_path / "g++"
    compiler.write_text("#!/bin/sh\n[ $1 = --version ] && echo made up 1 || { echo broken >&2; exit 1; }\n")
    compiler.chmod(0o755)
    monkeypatch.setattr(tools.settings, "home", lambda: tmp_path / "home")
    with pytest.raises(EnvironmentProblem, match=r"cannot compile bits/stdc\+\+.h: broken"):
        tools.precompiled_header(str(compiler))
    assert not list((tmp_path / "home").rglob("stdc++.h.gch"))
