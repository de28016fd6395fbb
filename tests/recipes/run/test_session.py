"""What the recipes of one run share: where words go, which store, and who is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.recipes.home.store import Store
from assay.recipes.run.session import Policy, RecordedStep
from tests.recipes.conftest import Kit
from tests.recipes.run.parts import session_of


@pytest.mark.parametrize(
    ("flags", "lines"),
    [
        ({}, ["INFO:root:a"]),
        ({"v": True}, ["INFO:root:a", "DEBUG:root:b"]),
        ({"silent": "yes"}, []),
        ({"silent": "yes", "v": True}, []),
    ],
)
def test_words_are_as_cms_log_and_as_many_as_were_asked_for(flags: Any, lines: list[str], kit: Kit) -> None:
    session = session_of(kit, flags)
    session.info("a")
    session.debug("b")
    assert kit.console.noted == lines and kit.console.said == []


def test_scripts_and_hooks_speak_through_the_session(kit: Kit) -> None:
    session = session_of(kit, {})
    session.scripts.note("from a script")
    session.automation.scripts.note("from a hook")
    assert kit.console.noted == ["INFO:root:from a script", "INFO:root:from a hook"]


def test_a_hooks_question_goes_to_the_user_and_its_paths_are_those_of_the_run(kit: Kit) -> None:
    session = session_of(kit, {})
    kit.console.answers = ["1"]
    assert session.automation.ask("which?") == "1" and kit.console.questions == ["which?"]
    session.process_state.environ["SEARCHED"] = "/a:/b"
    assert session.automation.get_default_path_list({"default_path_env_key": "SEARCHED"}) == ["/a", "/b"]
    assert session.automation.get_default_path_list({"default_path_env_key": "NOTHING"}) == [""]
    assert session.automation.get_default_path_list({}) == []


def test_the_hosts_environment_is_copied(kit: Kit) -> None:
    context = kit.context()
    session = session_of(kit, {})
    session.process_state.environ["NEW"] = "1"
    assert "NEW" not in context.host_env and session.process_state.environ["PATH"] == context.host_env["PATH"]


def test_there_is_one_store_for_the_whole_run(kit: Kit) -> None:
    session = session_of(kit, {})
    assert isinstance(session.store, Store) and session.store is session.store
    assert session.home is kit.home and session.folder == Path.cwd()


def test_cms_rules_hold_unless_the_user_decides() -> None:
    assert Policy() == (False, False)
    assert (Policy(strict=True).strict, Policy(exact_cache=True).exact_cache) == (True, True)


def test_a_step_knows_its_version_when_it_has_run(kit: Kit) -> None:
    step = RecordedStep(1, "gcc", "get,gcc", "_v", "/folder", "tests@small")
    assert (step.depth, step.alias, step.tags, step.variations) == (1, "gcc", "get,gcc", "_v")
    assert (step.folder, step.repository, step.version) == ("/folder", "tests@small", "")
    assert session_of(kit, {}).steps == []
