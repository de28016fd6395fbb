"""A command in a container: the lines given to the engines, and real runs where an engine is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from assay.config import ContainerRequest
from assay.ground.errors import EnvironmentProblem
from assay.machine.container import image as container_image
from assay.machine.container import run as container
from assay.machine.container.engine import ContainerEngine
from assay.machine.container.image import Image
from assay.machine.container.run import ContainerEnded, Task
from tests import engines

PODMAN = ContainerEngine("podman", is_rootless=False)
IMAGE = Image("FROM scratch\n", mounts=(Path("/usr"),), python="/usr/bin/python3")


class FakeEngine:
    """Answers as an engine would and remembers what it was asked."""

    def __init__(self, **answers: tuple[int, str]) -> None:
        self.answers = answers
        self.asked: list[list[str]] = []

    def __call__(self, command: Sequence[str]) -> tuple[int, str]:
        self.asked.append(list(command))
        return self.answers.get(command[1], (0, ""))


def line(
    request: ContainerRequest | None = None, task: Task | None = None, engine: ContainerEngine = PODMAN
) -> str:
    task = task or Task(("-m", "assay"))
    return " ".join(container.start_command(engine, "tag", IMAGE, request or ContainerRequest(), task))


# ---- trying one out


@pytest.fixture
def both_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")


@pytest.mark.usefixtures("both_installed")
def test_limits_that_are_in_the_way_are_told_once_with_the_line_that_mends_it() -> None:
    raw = "error setting rlimit type 7: operation not permitted"
    engine = FakeEngine(info=(0, "{}"), run=(126, f"{raw}\nError: runc: {raw}: OCI permission denied\n"))
    with pytest.raises(EnvironmentProblem) as caught:
        container.try_out("podman", engine)
    assert caught.value.message.count(raw) == 1
    assert "default_ulimits" in caught.value.hint and "CONTAINERS_CONF" in caught.value.hint


@pytest.mark.usefixtures("both_installed")
def test_a_container_that_starts_is_removed_by_its_engine() -> None:
    engine = FakeEngine(info=(0, "{}"))
    container.try_out("podman", engine)
    assert engine.asked[-1][:3] == ["podman", "run", "--rm"] and engine.asked[-1][-2:] == ["-c", ""]


# ---- the line


def test_folders_are_mounted_at_their_own_place_and_only_outputs_may_be_written() -> None:
    said = line(task=Task(("-m", "assay"), read=(Path("/model"),), write=(Path("/out"),)))
    assert "--mount type=bind,source=/usr,target=/usr,readonly " in said
    assert "--mount type=bind,source=/model,target=/model,readonly " in said
    assert "--mount type=bind,source=/out,target=/out " in said
    assert said.endswith("--entrypoint /usr/bin/python3 tag -m assay")


def test_a_folder_is_mounted_once_and_to_write_where_that_is_asked() -> None:
    said = line(task=Task((), read=(Path("/usr"), Path("/m"), Path("/m"), Path("/o")), write=(Path("/o"),)))
    assert [said.count(f"target=/{name}") for name in ("usr", "m", "o")] == [1, 1, 1]
    assert "target=/o " in said


def test_nothing_is_pulled_and_the_network_is_off() -> None:
    assert "--pull never --network none" in line()


def test_privileged_and_detached_only_when_asked() -> None:
    assert "--privileged" not in line()
    assert "--detach" not in line()
    assert "--privileged" in line(ContainerRequest(privileged=True))
    assert "--detach" in line(ContainerRequest(detached=True))


def test_a_gpu_is_asked_for_in_the_words_of_the_engine() -> None:
    task = Task(("-m", "assay"), needs_gpu=True)
    assert "--gpus all" in line(task=task, engine=ContainerEngine("docker", False))
    assert "--device nvidia.com/gpu=all" in line(task=task)
    assert "gpu" not in line()


# ---- the image


def test_the_same_dockerfile_and_files_are_the_same_image() -> None:
    assert IMAGE.tag == Image("FROM scratch\n").tag
    assert IMAGE.tag != Image("FROM scratch\nENV A=1\n").tag
    assert IMAGE.tag != Image("FROM scratch\n", {"a": "1"}).tag


def test_an_image_is_built_once() -> None:
    absent = FakeEngine(image=(1, "no such image"))
    said: list[str] = []
    assert container_image.build(IMAGE, "podman", absent, said.append) == IMAGE.tag
    assert [command[1] for command in absent.asked] == ["image", "build"]
    there = FakeEngine()
    container_image.build(IMAGE, "podman", there, said.append)
    assert [command[1] for command in there.asked] == ["image"]
    assert said == [f"podman builds the image {IMAGE.tag}, once: FROM scratch"]


def test_a_failed_build_shows_the_end_of_its_log_and_another_way() -> None:
    failing = FakeEngine(image=(1, ""), build=(1, "step 1\nno route to registry"))
    with pytest.raises(EnvironmentProblem, match="no route to registry") as caught:
        container_image.build(IMAGE, "podman", failing, print)
    assert "--container-base host" in caught.value.hint


def test_another_base_gets_the_versions_installed_here() -> None:
    image = container_image.plan("docker.io/library/python:3.11-slim")
    assert image.dockerfile.startswith("FROM docker.io/library/python:3.11-slim\n")
    assert "pip install" in image.dockerfile
    names = [line.partition("==")[0] for line in image.texts["requirements.txt"].splitlines()]
    assert "numpy" in names and not {"hypothesis", "sphinx", "assay-bench"} & set(names)
    there = {name for name in ("torch", "transformers", "pyarrow") if find_spec(name)}
    assert there <= set(names)
    assert image.mounts == ()


def test_the_host_image_has_the_links_of_the_system_and_mounts_the_rest(tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    (tmp_path / "lib").symlink_to("usr/lib")
    image = container_image.host_image(tmp_path)
    assert image.links == {"root/lib": "usr/lib"}
    assert tmp_path / "usr" in image.mounts
    assert not any(one in other.parents for one in image.mounts for other in image.mounts)


# ---- real runs


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with engines.podman(tmp_path_factory.mktemp("podman")):
        yield


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with engines.docker(tmp_path_factory.mktemp("docker")):
        yield


def run(
    tmp_path: Path, program: str, request: ContainerRequest, *read: Path
) -> tuple[ContainerEnded, list[str]]:
    said: list[str] = []
    task = Task(
        ("-c", program, str(tmp_path / "out")), read=read, write=(tmp_path / "out",), env={"A": "b c"}
    )
    return container.run(request, task, tmp_path / "log.txt", said.append), said


PROGRAM = """
import os, sys, pathlib
print("A is", os.environ["A"])
(pathlib.Path(sys.argv[1]) / "written").write_text("from inside")
sys.exit(7)
"""


@pytest.mark.usefixtures("podman")
@pytest.mark.parametrize("detached", [False, True])
def test_exit_code_log_and_files_come_back(tmp_path: Path, detached: bool) -> None:
    ended, said = run(tmp_path, PROGRAM, ContainerRequest("podman", detached=detached))
    assert ended.exit_code == 7
    assert "A is b c" in ended.log.read_text()
    assert "A is b c" in said
    written = tmp_path / "out" / "written"
    assert written.read_text() == "from inside"
    assert written.stat().st_uid == os.getuid()


@pytest.mark.usefixtures("podman")
def test_inputs_cannot_be_written_and_the_rest_of_the_host_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "secret").write_text("x")
    program = f"""
import pathlib
assert not pathlib.Path({str(tmp_path / "secret")!r}).exists()
try:
    pathlib.Path({str(tmp_path / "model" / "x")!r}).write_text("x")
except OSError as error:
    print(error.strerror)
"""
    ended, said = run(tmp_path, program, ContainerRequest("podman"), tmp_path / "model")
    assert ended.exit_code == 0
    assert "Read-only file system" in said


ODD = 'a:ro, "b"=c\n\\ä'
"""A folder's name with all that could end a mount too early."""


@pytest.mark.parametrize("engine", ["podman", "docker"])
def test_a_folder_of_any_name_is_seen_inside(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str
) -> None:
    request.getfixturevalue(engine)
    (tmp_path / ODD).mkdir()
    (tmp_path / ODD / "model").write_text("weights")
    program = f"import pathlib; print(pathlib.Path({str(tmp_path / ODD / 'model')!r}).read_text())"
    ended, said = run(tmp_path / ODD, program, ContainerRequest(engine), tmp_path / ODD / "model")
    assert ended.exit_code == 0 and said == ["weights"]


@pytest.mark.usefixtures("podman")
def test_a_privileged_container_has_more_rights_than_an_ordinary_one(tmp_path: Path) -> None:
    program = "print([l for l in open('/proc/self/status') if l.startswith('CapEff')][0].split()[1])"
    ordinary = run(tmp_path, program, ContainerRequest("podman"))[1][-1]
    privileged = run(tmp_path, program, ContainerRequest("podman", privileged=True))[1][-1]
    assert int(privileged, 16) & ~int(ordinary, 16)


@pytest.mark.usefixtures("podman")
def test_a_kept_container_is_gone_on_with_and_leaves_when_removed(tmp_path: Path) -> None:
    try:
        _, first = run(tmp_path, "print('one')", ContainerRequest("podman", keep=True))
        _, second = run(tmp_path, "print('two')", ContainerRequest("podman", reuse=True))
    finally:
        left = left_here()
        container.execute(["podman", "rm", "--force", "--time", "0", *left])
    assert first[-1] == "one"
    assert second[0].startswith("going on in container")
    assert second[-1] == "two"
    assert len(left) == 1


@pytest.mark.usefixtures("podman")
def test_nothing_is_left_behind_when_nothing_is_kept(tmp_path: Path) -> None:
    run(tmp_path, "pass", ContainerRequest("podman", detached=True))
    assert left_here() == []


HOLDER = """
import sys
from pathlib import Path
import assay
from assay.config import ContainerRequest
from assay.ground import files
from assay.machine.container import run as container
out = Path(sys.argv[1])
program = (
    "import sys, time; from pathlib import Path; from assay.ground import lifeline; "
    "lifeline.tie_to_holder(Path(sys.argv[1]), 0.1); print('inside', flush=True); time.sleep(300)"
)
with files.held(out):
    source = Path(assay.__file__).parents[1]
    env = {"PYTHONPATH": str(source)}
    task = container.Task(("-c", program, str(out)), read=(source,), write=(out,), env=env)
    container.run(ContainerRequest("podman", detached=True), task, out / "log", lambda line: print(line, flush=True))
"""


@pytest.mark.usefixtures("podman")
def test_a_detached_container_ends_when_we_are_killed_and_the_next_start_removes_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "out")]
    (tmp_path / "out").mkdir()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert any(said.strip() == "inside" for said in holder.stdout)
        holder.kill()
    deadline = time.monotonic() + 60
    while left_here("--filter", "status=running") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_here("--filter", "status=running") == []
    run(tmp_path, "pass", ContainerRequest("podman"))
    assert left_here() == []


def test_ended_containers_of_dead_processes_are_swept_and_others_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    names = [f"assay-0123abcd-{ended.pid}", f"assay-0123abcd-{os.getpid()}", "mine", f"assay-x-{ended.pid}"]
    engine = FakeEngine(ps=(0, "\n".join(names)))
    monkeypatch.setattr(container, "execute", engine)
    container._sweep(PODMAN)
    assert engine.asked[1:] == [PODMAN.removal(names[0])]


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.usefixtures("podman")
def test_another_base_image_gets_assay_installed(tmp_path: Path) -> None:
    base = os.environ.get("ASSAY_CONTAINER_BASE")
    if not base:
        pytest.skip("ASSAY_CONTAINER_BASE names no image with Python 3.10 or later and its venv")
    program = "import assay, torch; print(assay.__file__)"
    ended, said = run(tmp_path, program, ContainerRequest("podman", base=base))
    assert ended.exit_code == 0
    assert said[-1] == "/opt/assay/source/assay/__init__.py"


@pytest.mark.usefixtures("docker")
def test_docker_brings_back_exit_code_log_and_files_too(tmp_path: Path) -> None:
    ended, said = run(tmp_path, PROGRAM, ContainerRequest("docker", detached=True))
    assert ended.exit_code == 7
    assert "A is b c" in said
    assert (tmp_path / "out" / "written").read_text() == "from inside"


def left_here(*more: str) -> list[str]:
    listed = subprocess.run(
        ["podman", "ps", "--all", "--quiet", "--filter", f"label={container.LABEL}", *more],
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()


def test_a_container_learns_of_our_death_by_its_standard_input_unless_it_is_detached() -> None:
    assert "--interactive" in line()
    assert "--interactive" not in line(ContainerRequest(detached=True))
