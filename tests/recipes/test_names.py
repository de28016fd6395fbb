"""Names of artifacts and repositories, as CM writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.recipes.contract.names import ArtifactName, is_uid, new_uid, split_repository
from assay.recipes.model.artifact import Artifact, Repository, TagQuery

UID = "0123456789abcdef"
WORDS = st.text(alphabet="abcxyz-_1", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("word", "holds"),
    [
        (UID, True),
        ("a.b.c.d.e.f.0.1.", True),
        (UID[:-1], False),
        (UID + "0", False),
        (UID.upper(), False),
        ("g" * 16, False),
    ],
)
def test_a_uid_is_sixteen_of_its_characters(word: str, holds: bool) -> None:
    assert is_uid(word) is holds


def test_a_new_uid_is_one_and_another_each_time() -> None:
    made = {new_uid() for _ in range(50)}
    assert len(made) == 50 and all(map(is_uid, made))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("detect-os", ArtifactName("detect-os", "")),
        (UID, ArtifactName("", UID)),
        (f"detect-os,{UID}", ArtifactName("detect-os", UID)),
        (f"{UID}, detect-os", ArtifactName("detect-os", UID)),
        ("", ArtifactName()),
        (",", ArtifactName()),
        ("a,b", ArtifactName("b", "")),
    ],
)
def test_a_name_is_alias_and_uid_in_either_order(text: str, name: ArtifactName) -> None:
    assert ArtifactName.parse(text) == name


@pytest.mark.parametrize(
    ("text", "alias", "uid", "fits"),
    [
        ("detect-os", "Detect-OS", UID, True),
        ("detect-os", "detect-cpu", UID, False),
        ("detect-*", "detect-cpu", "", True),
        ("detect-??", "detect-os", "", True),
        ("detect-??", "detect-cpu", "", False),
        (UID, "any", UID, True),
        (UID, "any", "f" * 16, False),
        (UID, "any", "", False),
        (f"other,{UID}", "detect-os", UID, True),  # a uid decides alone
        (f"detect-os,{UID}", "detect-os", "", True),
        ("", "any", UID, True),
    ],
)
def test_a_name_fits_by_its_uid_else_by_its_alias(text: str, alias: str, uid: str, fits: bool) -> None:
    assert ArtifactName.parse(text).matches(alias, uid) is fits


@given(WORDS, st.booleans())
def test_a_name_is_written_as_it_is_read(alias: str, has_uid: bool) -> None:
    name = ArtifactName(alias, UID if has_uid else "")
    assert ArtifactName.parse(str(name)) == name
    assert bool(name)
    assert not ArtifactName()


@pytest.mark.parametrize(
    ("text", "repository", "artifact"),
    [
        ("detect-os", ArtifactName(), ArtifactName("detect-os")),
        ("mlcommons@cm4mlops:detect-os", ArtifactName("mlcommons@cm4mlops"), ArtifactName("detect-os")),
        (f"{UID}:{UID}", ArtifactName("", UID), ArtifactName("", UID)),
        (":detect-os", ArtifactName(), ArtifactName("detect-os")),
        ("repo:", ArtifactName("repo"), ArtifactName()),
    ],
)
def test_a_repository_stands_before_the_colon(
    text: str, repository: ArtifactName, artifact: ArtifactName
) -> None:
    assert split_repository(text) == (repository, artifact)


@pytest.mark.parametrize(
    ("asked", "tags", "fits"),
    [
        ("get,python", ("get", "python", "3"), True),
        ("get,java", ("get", "python"), False),
        ("get,-python", ("get", "python"), False),
        ("get,-java", ("get", "python"), True),
        ("", ("get",), True),
        (" get , ,python ", ("python", "get"), True),
        (["get", "-x"], ("get",), True),
    ],
)
def test_tags_are_wanted_or_with_a_hyphen_unwanted(
    asked: str | list[str], tags: tuple[str, ...], fits: bool
) -> None:
    assert TagQuery.parse(asked).matches(tags) is fits


def repository(**description: object) -> Repository:
    return Repository(Path("/repos/owner@name"), "alias", UID, dict(description))


def test_artifacts_lie_below_the_prefix_of_their_repository() -> None:
    assert repository().root == Path("/repos/owner@name")
    assert repository(prefix="sub").root == Path("/repos/owner@name/sub")
    assert repository(prefix=None).root == Path("/repos/owner@name")


@pytest.mark.parametrize(
    ("text", "answers"),
    [("alias", True), ("owner@name", True), (UID, True), ("other", False), ("owner*", True)],
)
def test_a_repository_answers_to_its_alias_its_uid_and_the_name_it_was_pulled_as(
    text: str, answers: bool
) -> None:
    assert repository().answers_to(ArtifactName.parse(text)) is answers


def test_a_repository_as_json_says_what_its_description_does() -> None:
    assert repository(desc="d", prefix="", other=1).as_json() == {
        "path": "/repos/owner@name",
        "name": "owner@name",
        "alias": "alias",
        "uid": UID,
        "desc": "d",
    }


def test_an_artifact_is_named_by_what_it_has() -> None:
    made = Artifact("/a/b", "script", repository(), "detect-os", UID, ("x",))
    assert (str(made), made.path) == (f"detect-os,{UID}", Path("/a/b"))
    assert str(made._replace(alias="")) == UID
