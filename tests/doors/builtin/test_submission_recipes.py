"""generate,mlperf,inference,submission and run,mlperf,inference,submission,checker."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from assay.doors.builtin.generate_submission.action import action as generate
from assay.doors.builtin.submission_checker.action import action as check
from assay.ground.errors import AssayError, ConfigError
from assay.recipes.errors import RecipeFault
from tests.doors.builtin.calls import Call
from tests.mlperf import run_folder

GENERATE = "generate,mlperf,inference,submission,_r5.1"
CHECK = "run,mlperf,inference,submission,checker,_r5.1"
NAMES = {"CM_MLPERF_SUBMITTER": "Tester", "CM_MLPERF_SUBMISSION_DIVISION": "closed", "CM_HW_NAME": "box"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return run_folder.write(tmp_path / "run")


def places(run: Path, **more: str) -> dict[str, str]:
    tree = str(run.parent / "tree")
    return {
        "CM_MLPERF_INFERENCE_RESULTS_DIR": str(run),
        "CM_MLPERF_INFERENCE_SUBMISSION_DIR": tree,
        **NAMES,
        **more,
    }


@pytest.fixture
def tree(run: Path) -> Path:
    generate(Call(GENERATE).of(**places(run)))
    return run.parent / "tree"


@pytest.mark.parametrize(
    ("more", "has_archive"),
    [({}, False), ({"CM_TAR_SUBMISSION_DIR": "yes"}, True), ({"CM_TAR_SUBMISSION_DIR": "no"}, False)],
)
def test_a_tree_is_written_and_packed_where_that_is_asked(
    more: dict[str, str], has_archive: bool, run: Path
) -> None:
    answer = generate(Call(GENERATE, prefix="MLC_").of(**places(run, **more)))["new_env"]
    tree = run.parent / "tree"
    assert answer["MLC_MLPERF_INFERENCE_SUBMISSION_DIR"] == str(tree)
    assert (tree / "closed/Tester/results/box").is_dir()
    archive = run.parent / "tree.tar.gz"
    assert archive.exists() is has_archive is ("MLC_MLPERF_INFERENCE_SUBMISSION_TAR_FILE" in answer)
    if has_archive:
        assert answer["MLC_MLPERF_INFERENCE_SUBMISSION_TAR_FILE"] == str(archive)
        with tarfile.open(archive) as packed:
            assert any("closed/Tester/results/box" in name for name in packed.getnames())


def test_who_submits_is_the_usual_one_where_nobody_is_named(run: Path) -> None:
    asked = {key: value for key, value in places(run).items() if key != "CM_MLPERF_SUBMITTER"}
    generate(Call(GENERATE).of(**asked))
    assert (run.parent / "tree/closed/MLCommons").is_dir()


@pytest.mark.parametrize("missing", ["CM_MLPERF_INFERENCE_RESULTS_DIR", "CM_MLPERF_INFERENCE_SUBMISSION_DIR"])
def test_both_folders_are_needed_and_asked_for(missing: str, run: Path) -> None:
    asked = {key: value for key, value in places(run).items() if key != missing}
    with pytest.raises(ConfigError, match="are needed") as caught:
        generate(Call(GENERATE).of(**asked))
    assert "--results_dir=RUN" in caught.value.hint
    assert not (run.parent / "tree").exists()


def test_a_folder_without_a_run_makes_no_tree(tmp_path: Path) -> None:
    with pytest.raises(AssayError):
        generate(Call(GENERATE).of(**places(tmp_path / "nothing")))
    assert not (tmp_path / "tree").exists()


# ---------------------------------------------------------------------- the checker


def test_a_tree_without_errors_passes_and_its_findings_are_told(tree: Path) -> None:
    (tree / "extra").mkdir()
    call = Call(CHECK)
    answer = check(call.of(CM_MLPERF_INFERENCE_SUBMISSION_DIR=str(tree)))
    assert answer["new_env"] == {"CM_MLPERF_SUBMISSION_CHECKER_ERRORS": "0"}
    assert call.said[-1].endswith("0 errors, 2 results")
    assert any(line.startswith("warning ") for line in call.said)


@pytest.mark.parametrize(("variations", "fails"), [("", True), (",_short-run", False)])
def test_errors_fail_it_unless_the_run_was_a_short_one(variations: str, fails: bool, tree: Path) -> None:
    (tree / "closed/Tester/calibration.md").unlink()
    call = Call(CHECK + variations)
    asked = call.of(CM_MLPERF_INFERENCE_SUBMISSION_DIR=str(tree))
    if fails:
        with pytest.raises(RecipeFault, match=r"has \d+ errors? in round") as caught:
            check(asked)
        assert caught.value.code == 1
    else:
        assert int(check(asked)["new_env"]["CM_MLPERF_SUBMISSION_CHECKER_ERRORS"]) > 0
    assert any(line.startswith("error ") for line in call.said)


def test_a_tree_must_be_named() -> None:
    with pytest.raises(ConfigError, match="no submission tree was named"):
        check(Call(CHECK).of())


def test_another_submitter_than_the_trees_is_looked_for(tree: Path) -> None:
    call = Call(f"{CHECK},_short-run")
    asked = call.of(CM_MLPERF_INFERENCE_SUBMISSION_DIR=str(tree), CM_MLPERF_SUBMITTER="Nobody")
    try:
        assert (
            check(asked)["new_env"]["CM_MLPERF_SUBMISSION_CHECKER_ERRORS"] != "0"
            or "0 results" in call.said[-1]
        )
    except AssayError as error:
        assert "Nobody" in error.message
