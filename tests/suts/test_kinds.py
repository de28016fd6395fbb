"""The table of SUTs: every one states its facts, and to read them costs no tensor library."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from assay import suts
from assay.ground.errors import ConfigError
from assay.suts import secret


@pytest.mark.parametrize("name", suts.TABLE)
def test_a_sut_says_what_it_is_and_has_what_its_facts_name(name: str) -> None:
    kind = suts.kind(name)
    assert kind.name == name and kind.summary
    assert callable(importlib.import_module(kind.module).build)
    planner = kind.load_planner()
    assert planner is None or all(callable(f) for f in (planner.examine, planner.ram_bytes, planner.seconds))
    assert all(option.help for option in kind.options)


def test_the_facts_of_all_suts_are_read_without_a_tensor_library() -> None:
    code = (
        "import sys; from assay import suts; suts.kinds(); "
        "print([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_cm_command_and_a_known_sut_look_for_no_other_packages() -> None:
    code = (
        "import sys; from assay import suts; from assay.cli import main; main(['find', 'script', '--tags=x']); "
        "suts.kind('engine'); print('importlib.metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_a_secret_is_read_from_its_variable_and_its_absence_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_KEY", " sk-1 ")
    assert secret.value("TOY_KEY") == "sk-1"
    monkeypatch.setenv("TOY_KEY", "")
    with pytest.raises(ConfigError, match="TOY_KEY is not set"):
        secret.value("TOY_KEY")
