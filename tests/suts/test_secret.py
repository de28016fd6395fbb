"""No option of a SUT carries a secret into a record."""

from __future__ import annotations

import pytest

from assay.doors import config_options
from assay.ground.errors import ConfigError
from assay.suts import secret

SECRET = "sk-4711-hidden"


@pytest.mark.parametrize(
    "arguments",
    [
        f"--api-key={SECRET}",
        f"--api-key {SECRET}",
        f"--max-model-len 2048 --admin-api-key '{SECRET}'",
        f"--hf-token {SECRET}",
        f"--ssl-keyfile-password={SECRET}",
        f"--API_KEY {SECRET}",
    ],
)
def test_a_secret_among_the_arguments_of_a_server_is_refused_and_not_repeated(arguments: str) -> None:
    for option in ("server_args", "server"):
        asked = {"sut": "serve", f"sut_options.{option}": arguments}
        with pytest.raises(ConfigError, match="must hold no secret") as told:
            config_options.build(None, asked, {})
        assert SECRET not in told.value.message + told.value.hint


@pytest.mark.parametrize(
    "arguments",
    ["--max-num-batched-tokens 8192 --tokenizer x", "--token-budget 5", "-c 'echo --key'", "open 'quote", ""],
)
def test_other_arguments_are_not(arguments: str) -> None:
    secret.refuse_in(arguments)


@pytest.mark.parametrize(
    "url", [f"http://user:{SECRET}@host:8000", f"http://{SECRET}@host", f"user:{SECRET}@host:1"]
)
def test_an_address_with_a_password_is_refused_at_the_door_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="no user and no password") as told:
        config_options.build(None, {"sut": "endpoint", "sut_options.url": url}, {})
    assert SECRET not in told.value.message + told.value.hint


def test_the_value_of_a_variable_is_read_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f" {SECRET} ")
    assert secret.value("MY_KEY") == SECRET
    monkeypatch.setenv("MY_KEY", " ")
    with pytest.raises(ConfigError, match="MY_KEY is not set"):
        secret.value("MY_KEY")
