"""Whatever is wrong with a text, one kind of error says it."""

from __future__ import annotations

import pytest

from assay.ground.parsed import json_value, yaml_value


@pytest.mark.parametrize("text", ["", "[" * 100_000, "9" * 6000, "{", b"\xff", "\udcff"])
def test_json_that_is_none_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        json_value(text)


ALIASES = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
MERGES = "a0: &a0 {k: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    "text",
    [
        "a: 2001-99-99",
        "a: " + "9" * 6000,
        "a: 0x" + "f" * 6000,
        "a: " + "1:" * 6000 + "1",
        'a: !!int ""',
        "a: !!timestamp x",
        "a: !!bool x",
        "a: !!float x",
        "a: *b",
        "a: &a [*a]",
        "[" * 2000,
        "a: \0",
        "? [a]\n: 1\n? {b: 1}\n: 2",
        "\udcff",
        "!!python/object/apply:os.system [true]",
        ALIASES,
    ],
)
def test_yaml_that_is_none_or_unfolds_without_end_is_a_value_error(text: str) -> None:
    import yaml

    for base in (None, yaml.SafeLoader):
        with pytest.raises(ValueError):
            yaml_value(text, base)


def test_merge_keys_copy_no_more_than_they_may() -> None:
    try:
        assert len(str(yaml_value(MERGES))) < 1000  # a newer PyYAML takes each key once
    except ValueError as error:
        assert "copy without end" in str(error)


def test_aliases_and_merge_keys_of_an_ordinary_size_are_read() -> None:
    text = "base: &base {a: 1, b: 2}\none: {<<: *base, b: 3}\ntwo: *base\n"
    assert yaml_value(text) == {"base": {"a": 1, "b": 2}, "one": {"a": 1, "b": 3}, "two": {"a": 1, "b": 2}}
