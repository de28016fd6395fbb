from __future__ import annotations

from pathlib import Path

from assay.ground import settings
from assay.ground.settings import Settings


def test_the_store_is_in_the_cache_of_the_user_until_it_is_set(tmp_path: Path) -> None:
    settings.adopt(Settings())
    assert settings.home() == Path.home() / ".cache" / "assay"
    settings.set_home(tmp_path)
    assert settings.home() == tmp_path


def test_a_child_adopts_what_its_parent_has(tmp_path: Path) -> None:
    settings.set_home(tmp_path)
    sent = settings.current()
    settings.adopt(Settings())
    settings.adopt(sent)
    assert settings.home() == tmp_path
