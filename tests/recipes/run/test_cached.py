"""A result out of the cache or into it: when an entry answers, what it holds, and what failed runs leave."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.errors import RecipeFailed, RecipeFault
from assay.recipes.run.cached import load_or_run
from assay.recipes.run.session import Policy
from tests.recipes.conftest import Kit
from tests.recipes.run.parts import Below, execution_of

COUNTS = 'echo x >> "$COUNT"\necho "CM_N=$(wc -l < "$COUNT")" > tmp-run-env.out\n'


@pytest.fixture
def count(kit: Kit) -> Path:
    """A file with one line for each time the script has run."""
    path = kit.root / "count"
    path.write_text("")
    return path


def counted(kit: Kit, count: Path, **meta: Any) -> None:
    kit.recipe(
        "r", run=COUNTS.replace("$COUNT", str(count)), cache=True, new_env_keys=["CM_N", "CM_D"], **meta
    )


def answered(kit: Kit, tags: str = "r", below: Below | None = None, **more: Any) -> dict[str, Any]:
    return load_or_run(execution_of(kit, tags, below, **more)).new_env


def description(kit: Kit) -> dict[str, Any]:
    (entry,) = kit.entries()
    found: dict[str, Any] = json.loads((entry / "_cm.json").read_text())
    return found


def test_the_first_run_makes_the_entry_and_later_ones_read_it(kit: Kit, count: Path) -> None:
    counted(kit, count)
    here = Path.cwd()
    assert [answered(kit)["CM_N"] for _ in range(3)] == ["1", "1", "1"]
    assert len(kit.entries()) == 1 and Path.cwd() == here
    assert any("! load" in line and "cm-cached-state.json" in line for line in kit.console.noted)


def test_an_entry_names_its_recipe_tags_and_key(kit: Kit, count: Path) -> None:
    counted(kit, count, variations={"v": {}})
    answered(kit, "r,_v")
    meta = description(kit)
    assert meta["tags"][0] == "r" and {"_v", "script-artifact-0000000000000001"} <= set(meta["tags"])
    assert meta["associated_script_artifact"] == "r,0000000000000001"
    assert meta["assay_key"]["recipe"].endswith("0000000000000001")
    assert "version" not in meta and "cache_expiration" not in meta


@pytest.mark.parametrize(
    ("env", "version"),
    [({"CM_VERSION": "1"}, "1"), ({"CM_VERSION": "1", "CM_DETECTED_VERSION": "1.2"}, "1.2"), ({}, None)],
)
def test_an_entry_has_the_version_that_was_detected_else_asked_for(
    env: dict[str, str], version: str | None, kit: Kit, count: Path
) -> None:
    counted(kit, count, env=env)
    answered(kit)
    assert description(kit).get("version") == version


def test_an_entry_says_until_when_it_may_be_used(kit: Kit, count: Path) -> None:
    counted(kit, count, cache_expiration="1h")
    before = time.time()
    answered(kit)
    assert before + 3600 <= description(kit)["cache_expiration"] <= time.time() + 3600


def test_scripts_with_its_values_lie_in_an_entry(kit: Kit, count: Path) -> None:
    counted(kit, count)
    answered(kit, env={"CM_ALL": "a b"})
    (entry,) = kit.entries()
    assert (
        "CM_N=" in (entry / "tmp-env.sh").read_text() and "CM_ALL" not in (entry / "tmp-env.sh").read_text()
    )
    assert "CM_ALL=" in (entry / "tmp-env-all.sh").read_text()


@pytest.mark.parametrize(("flag", "entries"), [("new", 2), ("renew", 1)])
def test_an_entry_can_be_made_again_or_beside(flag: str, entries: int, kit: Kit, count: Path) -> None:
    counted(kit, count)
    answered(kit)
    assert answered(kit, **{flag: True})["CM_N"] == "2"
    assert len(kit.entries()) == entries


def test_a_recipe_that_is_renewed_is_told_so(kit: Kit) -> None:
    kit.recipe(
        "r", cache=True, run="echo CM_R=$CM_RENEW_CACHE_ENTRY. > tmp-run-env.out\n", new_env_keys=["CM_R"]
    )
    assert [answered(kit, renew=True)["CM_R"] for _ in range(2)] == [".", "yes."]


def test_with_the_exact_rule_another_input_is_another_entry(kit: Kit, count: Path) -> None:
    counted(kit, count, input_mapping={"x": "CM_X"})
    exact = Policy(exact_cache=True)
    numbers = [answered(kit, policy=exact, x=x)["CM_N"] for x in ("1", "2", "1")]
    assert numbers == ["1", "2", "1"]


def test_only_from_the_cache_means_no_run(kit: Kit, count: Path) -> None:
    counted(kit, count)
    with pytest.raises(RecipeFault, match="nothing cached for r"):
        answered(kit, only_execute_from_cache=True)
    assert count.read_text() == "" and kit.entries() == []
    answered(kit)
    assert answered(kit, only_execute_from_cache=True)["CM_N"] == "1"


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_an_entry_that_cannot_be_read_is_passed_over_and_named(content: str, kit: Kit, count: Path) -> None:
    counted(kit, count)
    answered(kit)
    (entry,) = kit.entries()
    (entry / "cm-cached-state.json").write_text(content)
    assert answered(kit)["CM_N"] == "2"
    assert any("passed over" in line for line in kit.console.noted)


def test_only_dynamic_dependencies_run_for_an_entry(kit: Kit, count: Path) -> None:
    counted(kit, count, deps=[{"tags": "plain"}, {"tags": "moving", "dynamic": True}])
    first, second = Below(moving={"CM_D": "1"}), Below(moving={"CM_D": "2"})
    answered(kit, below=first)
    assert answered(kit, below=second)["CM_N"] == "1"
    assert (first.asked, second.asked) == (["plain", "moving"], ["moving"])


# ---------------------------------------------------------------------- the recipe's own judgement

JUDGED = "def detect_version(i): return {'return': 0, 'version': i['env'].get('CM_D', '')}\n"


def test_an_entry_that_its_recipe_calls_invalid_is_made_again(kit: Kit, count: Path) -> None:
    counted(kit, count)
    folder = kit.repository / "script/r"
    (folder / "validate_cache.sh").write_text(f'test "$(wc -l < {count})" != 1\n')
    assert [answered(kit)["CM_N"] for _ in range(2)] == ["1", "2"]
    assert any("is not valid" in line for line in kit.console.noted)


def test_an_entry_of_another_version_than_is_found_now_is_made_again(kit: Kit, count: Path) -> None:
    kit.recipe(
        "r",
        JUDGED,
        COUNTS.replace("$COUNT", str(count)),
        cache=True,
        new_env_keys=["CM_N"],
        deps=[{"tags": "moving", "dynamic": True}],
        env={"CM_DETECTED_VERSION": "1"},
    )
    (kit.repository / "script/r/validate_cache.sh").write_text("true\n")
    found = [answered(kit, below=Below(moving={"CM_D": version}))["CM_N"] for version in ("1", "1", "2")]
    assert found == ["1", "1", "2"]


def test_an_entry_is_judged_without_its_values_and_without_state(
    kit: Kit, count: Path, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    kit.recipe(
        "r",
        f"""def detect_version(i):
    with open({str(told)!r}, 'w') as file:
        print(*(i['env'].get(key) for key in ('CM_N', 'CM_D')), i['state'], i['input']['state']['own'],
              i['input']['run_state']['deps'], file=file)
    return {{'return': 0}}
""",
        COUNTS.replace("$COUNT", str(count)),
        cache=True,
        new_env_keys=["CM_N"],
        deps=[{"tags": "moving", "dynamic": True}],
    )
    (kit.repository / "script/r/validate_cache.sh").write_text("true\n")
    for _ in range(2):
        below = Below(moving={"CM_D": "1"})
        execution = execution_of(kit, "r", below, state={"own": 1}, depth=1)
        outcome = load_or_run(execution)
    assert outcome.env["CM_N"] == "1" and told.read_text() == "None 1 {} 1 []\n"


def test_the_judgement_leaves_env_state_and_folder_as_they_were(kit: Kit, count: Path) -> None:
    counted(kit, count)
    answered(kit)
    (kit.repository / "script/r/validate_cache.sh").write_text(
        "echo CM_LEAK=1 > tmp-run-env.out; echo '{\"leak\": 1}' > tmp-run-state.json\n"
    )
    execution = execution_of(kit, "r", state={"own": 1})
    here = Path.cwd()
    made = load_or_run(execution)
    assert "CM_LEAK" not in execution.env and made.state == {"own": 1} and Path.cwd() == here
    assert made.deps == []


# ---------------------------------------------------------------------- runs that come to no entry


def test_a_failed_run_leaves_no_entry_and_its_pieces_are_named(kit: Kit) -> None:
    kit.recipe("r", cache=True, run="echo half > piece; exit 3\n")
    here = Path.cwd()
    with pytest.raises(RecipeFailed) as caught:
        answered(kit)
    assert kit.entries() == [] and Path.cwd() == here
    kept = caught.value.kept
    assert kept is not None and (kept / "piece").read_text() == "half\n"


def test_an_interrupted_run_leaves_nothing(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    kit.recipe("r", cache=True)
    execution = execution_of(kit, "r")

    def interrupted() -> None:
        Path("piece").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(execution, "make", interrupted)
    here = Path.cwd()
    with pytest.raises(KeyboardInterrupt):
        load_or_run(execution)
    assert list(kit.home.cache.rglob("piece")) == [] and Path.cwd() == here


def test_a_skipped_recipe_makes_no_entry(kit: Kit) -> None:
    kit.recipe("r", hooks="def preprocess(i): return {'return': 0, 'skip': True}\n", cache=True)
    assert load_or_run(execution_of(kit, "r")).skipped
    assert kit.entries() == [] and [p for p in kit.home.cache.iterdir() if p.is_dir()] == []


def test_an_entry_names_another_folder_that_it_needs(kit: Kit, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    kit.recipe("r", cache=True, env={"CM_GET_DEPENDENT_CACHED_PATH": str(base)})
    answered(kit)
    assert description(kit)["dependent_cached_path"] == str(base)
    base.rmdir()
    answered(kit)
    assert len(kit.entries()) == 2  # the first cannot be used any more
