"""A published report's command lines, word for word, do the whole job here: run, score, submit, check, pack.

Added to them are only the paths of a small checkpoint, of a dataset in the official schema and of the outputs.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import engines
from tests.end_to_end import published_command, rows, small_mixtral

ENTRY = Path("open/MLCommons/results/gh_action/mixtral-8x7b/Offline")
LACKS_AS_A_TEST_RUN = {
    ("A1", "rouge1 is not measured"),
    ("A1", "rouge2 is not measured"),
    ("A1", "rougeL is not measured"),
    ("A6", "not the whole dataset"),
    ("P4", "too few samples"),
    ("P9", "too few samples"),
    ("P10", "too short a minimum duration was asked for"),
}
"""One query of row 0, a GSM8K sample: what the checker must find, and nothing else of the run."""


@dataclass
class Machine:
    """A machine of its own: home, store and output folders below one folder."""

    root: Path
    env: dict[str, str]

    def assay(self, *words: str, code: int = 0) -> str:
        """Standard output and error of one command, which must end with `code`."""
        return self.shell(shlex.join(["assay", *words]), self.root, code)

    def shell(self, line: str, folder: Path, code: int = 0) -> str:
        """The same for a line as a user types it in `folder`."""
        scripts = Path(sys.executable).parent
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env={**os.environ, **self.env, "PATH": f"{scripts}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=500,
            check=False,
        )
        assert done.returncode == code, done.stdout[-4000:]
        return done.stdout

    def paths(self, name: str) -> list[str]:
        return [
            f"--env.MIXTRAL_CHECKPOINT_PATH={self.root / 'model'}",
            f"--env.CM_DATASET_MIXTRAL_PREPROCESSED_PATH={self.root / 'rows.jsonl'}",
            f"--env.OUTPUT_BASE_DIR={self.root / name}",
            f"--env.CM_MLPERF_INFERENCE_SUBMISSION_DIR={self.root / name / 'tree'}",
        ]

    def result(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / name / "test_results" / "result.json").read_text())
        return found

    def findings(self, name: str) -> set[tuple[str, str]]:
        said = self.assay("check", str(self.root / name / "tree"), "--round", "v4.1", "--json", code=1)
        report = json.loads(said.strip().splitlines()[-1])
        return {(finding["code"], finding["message"]) for finding in report["findings"]}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Machine:
    root = tmp_path_factory.mktemp("machine")
    rows.tokenizer(root / "model")
    small_mixtral.dataset(root, root / "model")
    return Machine(root, {"HOME": str(root), "CM_REPOS": str(root / "CM"), "ASSAY_HOME": str(store)})


def test_cleaning_the_cache_of_a_new_home_is_no_error(machine: Machine) -> None:
    machine.assay(*published_command.RM_CACHE)


def test_the_repository_is_pulled_at_its_commit_and_removed_by_its_name(machine: Machine) -> None:
    clone = os.environ.get("ASSAY_CM4MLOPS")
    if not clone:
        pytest.skip("ASSAY_CM4MLOPS names no local clone of cm4mlops")
    (machine.root / ".gitconfig").write_text(
        f'[url "{clone}"]\n    insteadOf = https://github.com/gateoverflow/cm4mlops.git\n'
        f"    insteadOf = https://github.com/gateoverflow/cm4mlops\n[safe]\n    directory = *\n"
    )
    machine.assay(*published_command.PULL)
    found = machine.assay("find", "repo", published_command.REPOSITORY)
    assert "cm4mlops" in found
    machine.assay("rm", "repo", published_command.REPOSITORY, "-f")
    assert "cm4mlops" not in machine.assay("find", "repo", published_command.REPOSITORY)


NATIVELY = "--env.CM_MLPERF_USE_DOCKER=no"


def run_line(machine: Machine, name: str, *more: str, sut: str = "reference") -> str:
    """The published line word for word but for the implementation, with `more` at its end."""
    line = [
        word.replace("_reference", f"_{sut}").replace("IMPLEMENTATION=reference", f"IMPLEMENTATION={sut}")
        for word in published_command.RUN
    ]
    return machine.assay(*line, *machine.paths(name), *more)


@pytest.fixture(scope="module")
def echoed(machine: Machine, loadgen: None) -> str:
    """The line with the echo SUT in place of the reference: all of the job but the arithmetic."""
    return run_line(machine, "echo", NATIVELY, sut="echo")


@pytest.mark.usefixtures("echoed")
def test_tree_archive_and_report_are_there(machine: Machine) -> None:
    tree = machine.root / "echo" / "tree"
    assert (tree / ENTRY / "performance" / "run_1" / "mlperf_log_summary.txt").is_file()
    assert (tree / ENTRY / "accuracy" / "accuracy.txt").is_file()
    assert list(tree.rglob("README.md"))
    with tarfile.open(machine.root / "echo" / "tree.tar.gz") as archive:
        assert any(str(ENTRY) in name for name in archive.getnames())


@pytest.mark.usefixtures("echoed")
def test_one_query_is_run_as_asked(machine: Machine) -> None:
    result = machine.result("echo")
    assert [(run["mode"], run["samples"]) for run in result["runs"]] == [("performance", 1), ("accuracy", 1)]
    assert result["round"] == "v4.1"
    assert result["asked"]["limits"]["target_qps"] == 0.001


def test_what_is_given_twice_is_told_once_and_nothing_is_unknown(echoed: str) -> None:
    assert echoed.count("given more than once, the last counts") == 1
    told = [
        line for line in echoed.splitlines() if line.startswith("assay: ignored:")
    ]  # of echo alone: the reference has a batch
    assert told == ["assay: ignored: variation _batch_size.1; the echo SUT has no batch"]


@pytest.fixture(scope="module")
def printed_command(machine: Machine, echoed: str) -> str:
    """The run command of the report in the submission tree, as its reader copies it."""
    (report,) = (machine.root / "echo" / "tree").glob("**/Offline/README.md")
    _, section = report.read_text().split("## Run command\n\n```bash\n")
    return section.split("\n```")[0]


def test_the_command_in_the_report_has_no_repeated_option(printed_command: str) -> None:
    options = [word for word in shlex.split(printed_command) if word.startswith("--")]
    assert options
    assert len(options) == len(set(options))
    assert not any("CM_" in option for option in options)


def test_the_command_in_the_report_reproduces_the_run(machine: Machine, printed_command: str) -> None:
    folder = machine.root / "copied"
    folder.mkdir()
    machine.shell(printed_command, folder)
    again = json.loads(next(folder.rglob("result.json")).read_text())
    first = machine.result("echo")
    for key in ("workload", "round", "command", "dataset", "loadgen", "is_fake"):
        assert again[key] == first[key]
    assert scores_of(again) == scores_of(first)


@pytest.mark.usefixtures("echoed")
def test_running_again_without_cleaning_takes_the_finished_run(machine: Machine) -> None:
    before = machine.result("echo")["finished_at"]
    said = machine.assay(
        "run",
        "script",
        "--tags=app,mlperf,inference,_echo,_mixtral-8x7b,_r4.1-dev_default",
        *machine.paths("echo"),
    )
    assert "holds a finished run: taken as it is" in said
    assert machine.result("echo")["finished_at"] == before


def test_a_folder_that_is_not_ours_is_not_cleaned(machine: Machine) -> None:
    precious = machine.root / "precious" / "test_results"
    precious.mkdir(parents=True)
    (precious / "thesis.tex").write_text("years of work")
    said = machine.assay(*published_command.RUN, *machine.paths("precious"), NATIVELY, code=1)
    assert "is no run folder of Assay" in said
    assert (precious / "thesis.tex").read_text() == "years of work"


def test_the_full_model_is_refused_before_any_download(machine: Machine) -> None:
    from assay.mlperf.workloads.mixtral_8x7b import MODEL

    if shutil.disk_usage(machine.root).free > MODEL.size_bytes:
        import psutil

        if psutil.virtual_memory().total > MODEL.size_bytes:
            pytest.skip("this machine holds the full model")
    said = machine.assay(
        *[word for word in published_command.RUN if "MIXTRAL_CHECKPOINT_PATH" not in word],
        *[word for word in machine.paths("full") if "MIXTRAL_CHECKPOINT_PATH" not in word],
        NATIVELY,
        code=1,
    )
    assert "mixtral-8x7b does not fit here: its weights are 93.4 GB on disk and 93.4 GB in memory" in said
    assert "billion parameters fits" in said


def test_the_paths_of_the_published_machine_are_told_to_be_missing(machine: Machine) -> None:
    said = machine.assay(*published_command.RUN, NATIVELY, code=1)
    assert "/home/cmuser/CM/repos/local/cache/fc3ac28f3bb047bf/repo does not exist" in said


# ---- in a container


def test_podman_runs_the_line_as_published_in_a_privileged_container(
    machine: Machine, echoed: str, tmp_path: Path
) -> None:
    with engines.podman(tmp_path):
        run_line(machine, "in_podman", sut="echo")
    result = machine.result("in_podman")
    assert result["status"] == "COMPLETE"
    assert result["command"][-3:] == ["--container", "podman", "--container-privileged"]
    assert any("in a container of podman (base host, privileged)" in note for note in result["notes"])
    assert scores_of(result) == scores_of(machine.result("echo"))
    assert (machine.root / "in_podman" / "test_results" / "container.log").is_file()
    assert (machine.root / "in_podman" / "tree.tar.gz").is_file()


def test_docker_runs_the_line_in_an_unprivileged_container(
    machine: Machine, echoed: str, tmp_path: Path
) -> None:
    unprivileged = ("--env.CM_CONTAINER_TOOL=docker", "--env.CM_DOCKER_PRIVILEGED_MODE=no")
    with engines.docker(tmp_path):
        run_line(machine, "in_docker", *unprivileged, sut="echo")
    result = machine.result("in_docker")
    assert any("in a container of docker (base host)" in note for note in result["notes"])
    assert scores_of(result) == scores_of(machine.result("echo"))


# ---- with the Hugging Face reference


@pytest.fixture(scope="module")
def reference_model(machine: Machine, loadgen: None) -> None:
    small_mixtral.write(machine.root / "model")


@pytest.fixture(scope="module")
def natively(machine: Machine, reference_model: None) -> dict[str, Any]:
    run_line(machine, "native", NATIVELY)
    return machine.result("native")


@pytest.fixture(scope="module")
def in_a_container(
    machine: Machine, reference_model: None, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    with engines.podman(tmp_path_factory.mktemp("podman")):
        run_line(machine, "container")
    return machine.result("container")


@pytest.mark.slow
def test_the_line_runs_the_reference_natively(natively: dict[str, Any]) -> None:
    assert natively["status"] == "COMPLETE"
    assert natively["used"]["sut"] == "transformers"
    assert natively["used"]["precision"] == "float16"
    assert not natively["is_fake"]


@pytest.mark.slow
@pytest.mark.usefixtures("natively")
def test_the_checker_finds_what_a_test_run_of_one_query_lacks(machine: Machine) -> None:
    found = machine.findings("native")
    of_the_machine = {finding for finding in found if finding[0] == "S2"}
    assert found - of_the_machine == LACKS_AS_A_TEST_RUN
    assert all(message.endswith("is empty") for _, message in of_the_machine)


@pytest.mark.slow
def test_container_and_machine_give_the_same_record(
    natively: dict[str, Any], in_a_container: dict[str, Any]
) -> None:
    for key in ("workload", "round", "dataset", "loadgen"):
        assert in_a_container[key] == natively[key]
    assert in_a_container["used"]["weights_sha256"] == natively["used"]["weights_sha256"]
    assert scores_of(in_a_container) == scores_of(natively)


@pytest.mark.slow
def test_the_engine_answers_the_same_line(machine: Machine, natively: dict[str, Any]) -> None:
    run_line(machine, "engine", NATIVELY, sut="assay")
    result = machine.result("engine")
    assert (result["used"]["sut"], result["used"]["precision"]) == ("engine", "float16")
    assert scores_of(result) == scores_of(natively)


def scores_of(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (score["metric"], score["value"], score["n"], score["low"], score["high"])
        for run in result["runs"]
        for score in run["scores"]
    ]
