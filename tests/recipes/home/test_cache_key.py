from pathlib import Path

from assay.recipes.home.cache_key import CacheKey, recipe_digest
from assay.recipes.values import Values

KEY = CacheKey("get,tool", "d1", ("a", "b"), "1.0", (("path", "/x"),))


def test_a_key_that_was_kept_as_json_is_the_same() -> None:
    assert KEY.differences(Values(KEY.as_json())) == []


def test_every_part_that_differs_is_named_with_both_values() -> None:
    kept = KEY._replace(version="2.0", inputs=()).as_json()
    assert KEY.differences(kept) == [
        "version: 2.0 then, 1.0 now",
        "inputs: none then, path=/x now",
    ]


def test_an_entry_without_a_key_differs() -> None:
    assert KEY.differences(None) == ["the entry carries no key: it was made by cm, or by an older run"]


def test_the_digest_follows_what_a_recipe_runs_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("true")
    before = recipe_digest(tmp_path)
    (tmp_path / "README.md").write_text("text")
    (tmp_path / "tmp-run.sh").write_text("text")
    (tmp_path / "folder").mkdir()
    assert recipe_digest(tmp_path) == before
    (tmp_path / "run.sh").write_text("false")
    assert recipe_digest(tmp_path) != before
