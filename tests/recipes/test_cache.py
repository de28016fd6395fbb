"""Cache entries: when one answers, what it is made of, and that a broken one never answers."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from assay.recipes.actions.dispatch import access_for
from assay.recipes.errors import RecipeFailed, RecipeFault, RecipeNotFound
from assay.recipes.home.index import Index
from assay.recipes.home.store import Store
from assay.recipes.model.expiry import seconds
from assay.recipes.model.versions import Versions

from .conftest import Kit

COUNT = "echo x >> {log}\necho CM_MADE=$(wc -l < {log}) > tmp-run-env.out\n"


def counting(kit: Kit, alias: str = "make", **meta: object) -> Path:
    """A cached recipe that counts its own runs in the returned file and hands the count back."""
    log = kit.root / f"{alias}.log"
    kit.recipe(alias, run=COUNT.format(log=log), **{"cache": True, "new_env_keys": ["CM_MADE"], **meta})
    return log


def made(kit: Kit, tags: str = "make", *flags: str) -> str:
    return str(kit.run(tags, *flags)["new_env"]["CM_MADE"])


def test_the_second_run_is_answered_by_the_entry_of_the_first(kit: Kit) -> None:
    log = counting(kit)
    assert made(kit) == made(kit) == "1"
    assert len(log.read_text().splitlines()) == 1


def test_an_entry_has_cms_form(kit: Kit) -> None:
    counting(kit, variations={"v": {}})
    kit.run("make,_v", "--extra_cache_tags=x")
    (entry,) = kit.entries()
    description = json.loads((entry / "_cm.json").read_text())
    assert description["tags"] == ["make", "_v", "x", "script-artifact-0000000000000001"]
    assert description["associated_script_artifact"] == "make,0000000000000001"
    assert description["automation_uid"] == "541d6f712a6b464e"
    state = json.loads((entry / "cm-cached-state.json").read_text())
    assert state["new_env"] == {"CM_MADE": "1"}
    assert (entry / "tmp-env.sh").exists()


def test_an_entry_made_with_more_variations_answers_a_plain_request_as_in_cm(kit: Kit) -> None:
    counting(kit, variations={"v": {}})
    assert made(kit, "make,_v") == made(kit, "make") == "1"


def test_with_the_exact_rule_other_variations_and_inputs_are_another_entry(kit: Kit) -> None:
    counting(kit, variations={"v": {}}, input_mapping={"size": "CM_SIZE"})
    assert made(kit, "make,_v", "--cache=exact") == "1"
    assert made(kit, "make", "--cache=exact") == "2"
    assert made(kit, "make", "--cache=exact", "--size=3") == "3"
    assert made(kit, "make", "--cache=exact", "--size=3") == "3"


def test_with_the_exact_rule_a_changed_recipe_is_run_again(kit: Kit) -> None:
    counting(kit)
    assert made(kit, "make", "--cache=exact") == "1"
    script = kit.repository / "script" / "make" / "run.sh"
    script.write_text(script.read_text() + "# changed\n")
    assert made(kit, "make", "--cache=exact") == "2"


def test_new_makes_a_further_entry_and_renew_makes_the_same_one_again(kit: Kit) -> None:
    counting(kit)
    made(kit)
    assert made(kit, "make", "--renew") == "2"
    assert len(kit.entries()) == 1
    assert made(kit, "make", "--new") == "3"
    assert len(kit.entries()) == 2


def test_an_entry_outside_the_version_bounds_is_passed_over(kit: Kit) -> None:
    hooks = "def postprocess(i):\n    return {'return': 0, 'version': i['env'].get('CM_VERSION') or '1.0'}\n"
    kit.recipe("tool", hooks=hooks, cache=True, default_version="1.0")
    kit.run("tool")
    kit.run("tool", "--version_min=1.0")
    assert len(kit.entries()) == 1
    kit.run("tool", "--version_min=2.0")
    versions = sorted(json.loads((e / "_cm.json").read_text())["version"] for e in kit.entries())
    assert versions == ["1.0", "2.0"]


def test_a_failed_run_leaves_no_entry_and_its_pieces_can_be_read(kit: Kit) -> None:
    kit.recipe("make", cache=True, run="echo piece > piece\nexit 1\n")
    with pytest.raises(RecipeFailed) as caught:
        kit.run("make")
    assert kit.entries() == []
    assert list(kit.home.cache.glob("*")) == []
    assert caught.value.kept is not None
    assert (caught.value.kept / "piece").read_text() == "piece\n"


def test_an_interrupted_run_leaves_nothing(kit: Kit) -> None:
    kit.recipe("make", cache=True, hooks="def preprocess(i):\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        kit.run("make")
    assert list(kit.home.cache.glob("*")) == []


def test_a_folder_without_a_description_is_no_entry_and_is_swept(kit: Kit) -> None:
    counting(kit)
    orphan = kit.home.cache / "0123456789abcdef"
    orphan.mkdir(parents=True)
    (orphan / "cm-cached-state.json").write_text('{"new_env": {"CM_MADE": "broken"}, "new_state": {}}')
    (orphan / ".assay-running").touch()
    assert made(kit) == "1"
    assert not orphan.exists()


def test_an_entry_of_cm_itself_is_used(kit: Kit) -> None:
    counting(kit)
    entry = kit.home.cache / "0123456789abcdef"
    entry.mkdir(parents=True)
    description = {
        "alias": "",
        "uid": "0123456789abcdef",
        "tags": ["make"],
        "associated_script_artifact": "make,0000000000000001",
    }
    (entry / "_cm.json").write_text(json.dumps(description))
    (entry / "cm-cached-state.json").write_text(
        '{"new_env": {"CM_MADE": "by cm"}, "new_state": {}, "deps": []}'
    )
    assert made(kit) == "by cm"


def test_an_entry_whose_base_is_gone_or_that_has_expired_is_passed_over(kit: Kit) -> None:
    counting(kit)
    made(kit)
    (entry,) = kit.entries()
    description = json.loads((entry / "_cm.json").read_text())
    (entry / "_cm.json").write_text(json.dumps(description | {"dependent_cached_path": "/nowhere"}))
    assert made(kit) == "2"
    (entry / "_cm.json").write_text(json.dumps(description | {"cache_expiration": time.time() - 1}))
    lookup = Store(Index(kit.home)).look_up(["make"], Versions())
    assert [rejected.reason for rejected in lookup.rejected] == ["it has expired"]


def test_only_dynamic_dependencies_run_for_a_cached_recipe(kit: Kit) -> None:
    counting(kit, "still")
    counting(kit, "moving", cache=False)
    kit.recipe(
        "root", cache=True, deps=[{"tags": "still"}, {"tags": "moving", "dynamic": True}], new_env_keys=[]
    )
    kit.run("root")
    kit.run("root")
    assert len((kit.root / "still.log").read_text().splitlines()) == 1
    assert len((kit.root / "moving.log").read_text().splitlines()) == 2


def test_paths_of_an_entry_that_moved_with_its_home_lead_to_this_home(kit: Kit) -> None:
    kit.recipe("make", cache=True, run="echo CM_P=$PWD/x > tmp-run-env.out; touch x\n", new_env_keys=["CM_P"])
    kit.run("make")
    (entry,) = kit.entries()
    state = entry / "cm-cached-state.json"
    state.write_text(state.read_text().replace(str(kit.home.root), "/elsewhere"))
    assert kit.run("make")["new_env"]["CM_P"] == str(entry / "x")


def test_removing_says_what_goes_and_nothing_left_is_error_16(kit: Kit) -> None:
    counting(kit)
    made(kit)
    kit.perform(["rm", "cache", "-f"])
    assert any("Deleting" in line and "B) ..." in line for line in kit.console.said)
    assert kit.entries() == []
    with pytest.raises(RecipeNotFound) as caught:
        kit.perform(["rm", "cache", "-f"])
    assert caught.value.code == 16


@pytest.mark.parametrize(
    "words", [["rm", "cache"], ["rm", "script", "--tags=make"], ["rm", "repo", "tests@small"]]
)
def test_removing_asks_and_nobody_there_is_an_error_that_names_f(kit: Kit, words: list[str]) -> None:
    counting(kit)
    made(kit)
    with pytest.raises(RecipeFault, match="nobody is here to answer") as caught:
        kit.perform(words)
    assert caught.value.code == 1 and "-f" in caught.value.hint
    assert len(kit.entries()) == 1 and kit.repository.is_dir()


def test_a_hook_that_removes_without_f_removes_nothing_and_goes_on(kit: Kit) -> None:
    counting(kit)
    made(kit)
    answer = access_for(kit.context())({"action": "rm", "automation": "cache", "tags": "make"})
    assert answer["return"] == 0 and len(kit.entries()) == 1


def test_show_hides_entries_without_their_base_and_prints_sorted_tags(kit: Kit) -> None:
    counting(kit, variations={"v": {}})
    kit.run("make,_v")
    kit.perform(["show", "cache"])
    assert "* Tags: make,script-artifact-0000000000000001,_v" in kit.console.said


def test_verify_names_the_entry_that_points_to_what_is_not_there(kit: Kit) -> None:
    kit.recipe("make", cache=True, run="touch x; echo CM_P=$PWD/x > tmp-run-env.out\n", new_env_keys=["CM_P"])
    kit.run("make")
    kit.perform(["verify", "cache"])
    (entry,) = kit.entries()
    (entry / "x").unlink()
    with pytest.raises(RecipeFault, match="1 broken"):
        kit.perform(["verify", "cache"])


def test_prune_removes_the_pieces_of_failed_runs(kit: Kit) -> None:
    kit.recipe("bad", cache=True, run="exit 1\n")
    with pytest.raises(RecipeFailed):
        kit.run("bad")
    assert kit.perform(["prune", "cache"])["deleted"] == 2  # and the log
    assert Store(Index(kit.home)).failed() == []


@pytest.mark.parametrize(
    ("text", "expected"), [("30m", 1800), ("1d", 86400), ("2 weeks", 1209600), ("7", 7), ("", 0)]
)
def test_a_duration_is_read_as_mlc_writes_it(text: str, expected: float) -> None:
    assert seconds(text) == expected


def test_an_entry_carries_the_time_when_it_expires(kit: Kit) -> None:
    counting(kit, cache_expiration="1h")
    before = time.time()
    made(kit)
    description = json.loads((kit.entries()[0] / "_cm.json").read_text())
    assert before + 3590 < description["cache_expiration"] < before + 3700
    kit.recipe("plain", cache=True)
    with pytest.raises(RecipeFault, match="is no duration"):
        kit.run("plain", "--cache_expiration=soon")
