"""Nothing on a command line is lost in silence: each option has an effect, a reason, or a note."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.doors import cm, cm_claims, config_text
from assay.ground.errors import ConfigError
from assay.recipes.contract import argv
from assay.recipes.model.selection import Selection
from tests.end_to_end import published_command


def test_every_variable_of_the_published_command_is_claimed() -> None:
    inputs = argv.parse(published_command.RUN)
    assert cm_claims.unclaimed(inputs["env"]) == []
    assert set(inputs["adr"]) | set(inputs["add_deps_recursive"]) <= set(cm_claims.NAMED_DEPENDENCIES)


def test_a_place_as_cm_s_containers_call_it_is_noted() -> None:
    told = cm_claims.moved({"OUTPUT_BASE_DIR": "/cm-mount/home/a", "CM_HW_NAME": "box"})
    assert told == "/cm-mount is / in CM's containers and left out of OUTPUT_BASE_DIR: /home/a is meant"
    assert cm_claims.moved({"OUTPUT_BASE_DIR": "/home/cm-mount/"}) is None


def test_nothing_has_an_effect_and_none() -> None:
    assert not set(cm_claims.EFFECTS) & set(cm_claims.NO_EFFECT)


def test_an_unknown_variable_is_told_with_the_nearest_known_one() -> None:
    sentences = cm_claims.unclaimed({"CM_HW_NAMES": "box", "ZZZZ": "1"})
    assert sentences == ["ignored: CM_HW_NAMES; did you mean CM_HW_NAME?", "ignored: ZZZZ"]


def test_an_unknown_variable_is_an_error_under_strict() -> None:
    sentences = cm_claims.unclaimed({"CM_HW_NAMES": "box"})
    assert cm_claims.tell_unclaimed(sentences, strict=False) == sentences[0]
    with pytest.raises(ConfigError, match="CM_HW_NAMES; did you mean CM_HW_NAME"):
        cm_claims.tell_unclaimed(sentences, strict=True)


def test_a_variable_that_the_recipe_maps_is_claimed() -> None:
    assert cm_claims.unclaimed({"CM_NUM_THREADS": "2"}, mapped=["CM_NUM_THREADS"]) == []


def test_repeated_options_give_one_note_and_the_last_value() -> None:
    note = cm_claims.repeated(published_command.RUN)
    assert note is not None
    assert note.startswith("given more than once, the last counts: ")
    assert "OUTPUT_BASE_DIR=/cm-mount/home/arjun/gh_action_results" in note
    assert note.count("=") == 2


def test_the_same_value_twice_is_no_repetition() -> None:
    assert cm_claims.repeated(["--env.A=1", "--env.A=1", "--v", "word"]) is None


@pytest.mark.parametrize(
    ("implementation", "said"),
    [
        ("echo", ["ignored: variation _batch_size.8; the echo SUT has no batch"]),
        (
            "endpoint",
            [
                "ignored: variation _batch_size.8; the endpoint SUT has no batch; "
                "CM_ASSAY_SUT_OPTIONS_MAX_IN_FLIGHT=N"
            ],
        ),
        ("assay", []),
        ("reference", []),
    ],
)
def test_a_batch_size_that_the_implementation_has_no_use_for_is_told(
    implementation: str, said: list[str]
) -> None:
    env = {"CM_MLPERF_IMPLEMENTATION": implementation}
    config = cm.from_cm(Selection(cm.TAGS, ("batch_size.8",)), env)
    assert config.limits.batch == 8 and cm_claims.idle(config) == said
    assert ("--batch" in config_text.command(config)) is (not said)
    assert not cm_claims.idle(cm.from_cm(Selection(cm.TAGS, ()), env))


def test_the_published_command_is_one_config() -> None:
    selection, env = cm.asked_by(argv.parse(published_command.RUN), {})
    config = cm.from_cm(selection, env)
    assert config.round == "v4.1-dev"
    assert config.limits.samples == 1
    assert config.limits.batch == 1
    assert config.limits.target_qps == 0.001
    assert config.submission.submitter == "MLCommons"
    assert config.submission.system_name == "gh_action"
    assert str(config.paths.out) == "/home/arjun/gh_action_results/test_results"
    assert [mode.value for mode in config.modes] == ["performance", "accuracy"]


def test_every_option_of_the_published_command_is_in_the_table_of_the_docs() -> None:
    table = (Path(__file__).parents[2] / "docs" / "cm-options.md").read_text(encoding="utf-8")
    for word in published_command.RUN[3:]:
        assert f"| `{word.partition('=')[0]}` |" in table


@pytest.mark.parametrize("key", [*cm_claims.EFFECTS, *cm_claims.NO_EFFECT])
def test_the_docs_say_of_each_variable_what_the_door_says(key: str) -> None:
    table = (Path(__file__).parents[2] / "docs" / "cm-options.md").read_text(encoding="utf-8")
    said = cm_claims.EFFECTS.get(key) or f"accepted, no effect, because {cm_claims.NO_EFFECT[key]}"
    assert f"| `--env.{key}` | {said} |" in table or f"| `--env.{key},` | {said} |" in table
