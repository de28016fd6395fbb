"""The settings of a recipe's image, and the words of the command inside."""

from __future__ import annotations

from typing import Any

import pytest

from assay.recipes.errors import RecipeFault
from assay.recipes.tools.container_image import Container, flag_words


def container(**settings: Any) -> Container:
    return Container(settings, "cmuser", "/cm-mount")


@pytest.mark.parametrize(
    ("settings", "image"),
    [
        ({}, "local/cm-script-leaf:ubuntu-22.04-latest"),
        ({"os": "rhel", "os_version": "9"}, "local/cm-script-leaf:registry.access.redhat.com-ubi9-latest"),
        ({"base_image": "Vendor/Image:1"}, "local/cm-script-leaf:vendor-image-1-latest"),
        ({"image_repo": "mine", "image_tag": "t", "image_tag_extra": "-x"}, "mine/cm-script-leaf:t-x"),
    ],
)
def test_an_image_is_named_by_its_base(settings: dict[str, Any], image: str) -> None:
    assert container(**settings).image("leaf") == image


def test_an_empty_setting_is_the_default() -> None:
    assert container(os="").os_name == "ubuntu"


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda it: it.listed("mounts"), "must be a list"),
        (lambda it: it.split("mounts"), "must be text"),
        (lambda it: it.named("mounts"), "must be a dictionary"),
    ],
)
def test_a_setting_of_another_form_is_refused(ask: Any, said: str) -> None:
    with pytest.raises(RecipeFault, match=said):
        ask(container(mounts=5))


def test_an_open_quote_in_a_command_line_is_refused() -> None:
    with pytest.raises(RecipeFault, match="no command line"):
        container(extra_run_args="--name 'open").split("extra_run_args")


def test_nested_inputs_become_flags() -> None:
    given = {"tags": "a,b", "env": {"A": "1", "L": ["x", "y"]}, "quiet": True, "rerun": False}
    assert flag_words(given) == ["--tags=a,b", "--env.A=1", "--env.L,=x,y", "--quiet", "--rerun-"]
