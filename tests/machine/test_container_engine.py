"""Which engine of containers is used, and how its answers are read; no engine is run."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from assay.ground.errors import EnvironmentProblem
from assay.machine.container import engine as container_engine
from assay.machine.container.engine import ContainerEngine
from tests.machine.test_container import FakeEngine


@pytest.mark.parametrize(("code", "answer"), [(0, "id\n"), (3, "id\nbeware\n")])
def test_a_warning_of_an_engine_is_no_part_of_its_answer_unless_it_failed(code: int, answer: str) -> None:
    program = f"import sys; print('beware', file=sys.stderr); print('id'); sys.exit({code})"
    assert container_engine.execute([sys.executable, "-c", program]) == (code, answer)


@pytest.fixture
def both_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")


def test_no_engine_is_an_error_that_names_the_two_ways_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(
        EnvironmentProblem, match="podman is not installed; docker is not installed"
    ) as caught:
        container_engine.find_engine()
    assert "install and start podman" in caught.value.hint
    assert "without a container" in caught.value.hint


@pytest.mark.usefixtures("both_installed")
def test_an_engine_that_does_not_answer_is_told_with_its_own_words() -> None:
    silent = FakeEngine(info=(1, "Cannot connect to the daemon"))
    with pytest.raises(EnvironmentProblem, match=r"docker does not answer \(Cannot connect"):
        container_engine.find_engine("docker", silent)


@pytest.mark.usefixtures("both_installed")
def test_podman_comes_first_and_the_one_asked_for_before_it() -> None:
    assert container_engine.find_engine(None, FakeEngine(info=(0, "{}"))).name == "podman"
    assert container_engine.find_engine("docker", FakeEngine(info=(0, "{}"))).name == "docker"


@pytest.mark.usefixtures("both_installed")
@pytest.mark.parametrize(
    ("name", "info", "is_rootless"),
    [
        ("podman", {"host": {"security": {"rootless": True}}}, True),
        ("podman", {"host": {"security": {"rootless": False}}}, False),
        ("docker", {"SecurityOptions": ["name=seccomp", "name=rootless"]}, True),
        ("docker", {"SecurityOptions": ["name=seccomp"]}, False),
    ],
)
def test_rootless_engines_are_told_apart(name: str, info: object, is_rootless: bool) -> None:
    found = container_engine.find_engine(name, FakeEngine(info=(0, json.dumps(info))))
    assert found == ContainerEngine(name, is_rootless)


def test_what_is_written_belongs_to_who_started_it() -> None:
    assert ContainerEngine("docker", False).user_options(1000, 100) == ["--user", "1000:100"]
    assert ContainerEngine("docker", True).user_options(1000, 100) == []
    assert ContainerEngine("podman", True).user_options(1000, 100)[:2] == ["--userns", "keep-id"]
