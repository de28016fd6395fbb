from __future__ import annotations

import pytest

from assay.ground.redact import addresses


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("https://me:secret@host/f.pkl", "https://***@host/f.pkl"),
        ("https://ghp_token@host/o/n.git", "https://***@host/o/n.git"),
        ("HTTPS://me:p@ss@host/f", "HTTPS://***@host/f"),
        ("https://me:pa/ss@host/f", "https://***@host/f"),
        ("https://host/f?X-Sig=abc&part=1", "https://host/f?X-Sig=***&part=***"),
        ("https://host/f?abc", "https://host/f?***"),
        ("https://host/f#access_token=abc", "https://host/f#access_token=***"),
        ("cannot get 'https://a:b@host/f?s=1': gone", "cannot get 'https://***@host/f?s=***': gone"),
        ("ssh://git:secret@host/n", "ssh://***@host/n"),
        ("no folder http:/me:secret@host/x?sig=abc", "no folder http:/***@host/x?sig=***"),
        ("hf:owner/name?token=abc", "hf:owner/name?token=***"),
    ],
)
def test_what_may_let_somebody_in_is_hidden(given: str, shown: str) -> None:
    assert addresses(given) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://host:8080/path@v1/file.jsonl",
        "ssh://git@host/owner/name",
        "git@host:owner/name",
        "hf:owner/name@a60832cb",
        "no address here: a?b=c",
        "a path C:/me:x/y@z and log:/me:x/y",
        "",
    ],
)
def test_an_address_without_a_secret_stays_as_it_is(text: str) -> None:
    assert addresses(text) == text
