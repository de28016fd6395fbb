from __future__ import annotations

import pytest

from assay.endpoint import address
from assay.ground.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("http://host:8000/v1/", "http://host:8000"),
        ("https://host/a/v1", "https://host:443/a"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_an_address_is_read_and_the_api_names_the_path_below_it(url: str, text: str) -> None:
    assert address.parse(url).text == text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a",
        "http://a:x",
        "http://a b",
        "http://a/?key=1",
        "http://a\r\nX: y",
        "http://[::1",
        f"http://{'a' * 64}.b",
        "a..b",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        address.parse(url)


def test_two_addresses_in_one_are_told_apart() -> None:
    with pytest.raises(ConfigError, match="more than one address") as caught:
        address.parse("http://a:8000,b:8000")
    assert caught.value.hint == "--url once for each server"


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError) as error:
        address.parse("http://me:s3cret@host")
    assert "s3cret" not in str(error.value)
