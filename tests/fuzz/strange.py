"""What strangers' files look like: a good file with one thing wrong, drawn by a seeded generator."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

LONG = "9" * 6000
TOKENS = (
    *(
        b"",
        b"\0",
        b"\xff\xfe",
        b"\\ud800",
        b"\xc2\xb2",
        b"1e999",
        b"NaN",
        b"-1",
        b"null",
        b"true",
        b"{}",
        b"[]",
        b'""',
    ),
    *(
        LONG.encode(),
        b"[" * 5000,
        b"{" * 5000,
        b'{"a":' * 3000,
        b"../../x",
        b"a" * 300,
        b"a/" * 3000,
        b"\n",
        b"\r\n",
    ),
    *(
        b"*a",
        b"&a [*a]",
        b"<<: *a",
        b"!!int ''",
        b"2001-99-99",
        b"0x",
        b": ",
        b"- ",
        b"PAR1",
        b"\x80\x05",
        b"=",
        b"%s",
    ),
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        1e308,
        float("nan"),
        float("inf"),
        2**63,
        2**80,
        10**4000,
        "",
        "\0",
        "\ud800",
        "²",
        "a" * 300,
    ),
    *(
        "../..",
        "/",
        ".",
        "~nobody-here",
        [],
        {},
        [None],
        [[]],
        {"": None},
        ["a", 1],
        {"a": {"b": []}},
        "-1",
        "1e999",
    ),
    *("a\nb", " ", "http://[::1", "file:///etc", 0.5, -(2**31)),
)


def damage(content: bytes, draw: random.Random) -> bytes:
    """The content with one to three things wrong."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        content = draw.choice((_cut, _flip, _insert, _drop, _repeat, _replace, _json, _json, _json))(
            content, draw
        )
    return content


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _flip(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(min(len(changed), draw.choice((1, 1, 3, 20)))):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def _insert(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.choice(TOKENS) + content[at:]


def _drop(content: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(content) + 1)
    return content[:start] + content[start + draw.randrange(1, 200) :]


def _repeat(content: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(content) + 1)
    part = content[start : start + draw.randrange(1, 500)]
    return content[:start] + part * draw.choice((2, 2, 50)) + content[start:]


def _replace(content: bytes, draw: random.Random) -> bytes:
    return draw.choice(
        (*TOKENS, b'"x"', b"1", gzip.compress(content), content.decode("latin1").encode("utf-16"))
    )


def _json(content: bytes, draw: random.Random) -> bytes:
    """Another value somewhere in JSON, or in one line of JSON lines; other content has a byte flipped."""
    lines = content.split(b"\n")
    places = [number for number, line in enumerate(lines) if line.lstrip().startswith((b"{", b":::MLLOG {"))]
    try:
        return _dump(_other_value(json.loads(content), draw))
    except (ValueError, RecursionError):
        pass
    if not places:
        return _flip(content, draw)
    number = draw.choice(places)
    before, _, text = lines[number].partition(b"{")
    try:
        lines[number] = before + _dump(_other_value(json.loads((b"{" + text).rstrip(b", ")), draw))
    except (ValueError, RecursionError):
        return _flip(content, draw)
    return b"\n".join(lines)


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def _other_value(value: Any, draw: random.Random) -> Any:
    if isinstance(value, dict) and value and draw.random() < 0.9:
        key = draw.choice(sorted(value))
        if draw.random() < 0.1:
            return {name: value[name] for name in value if name != key}
        return {**value, key: _other_value(value[key], draw)}
    if isinstance(value, list) and value and draw.random() < 0.8:
        place = draw.randrange(len(value))
        return [*value[:place], _other_value(value[place], draw), *value[place + 1 :]]
    return draw.choice(VALUES)


def put(path: Path, draw: random.Random) -> None:
    """Damage the file at `path`; now and then something else than a file stands there afterwards."""
    content = path.read_bytes()
    if draw.random() < 0.95:
        path.write_bytes(damage(content, draw))
        return
    path.unlink()
    draw.choice(
        (lambda: None, path.mkdir, lambda: path.symlink_to(path.name), lambda: path.symlink_to("."))
    )()


def word(draw: random.Random) -> str:
    """A word of a command line; the shell can pass on no NUL."""
    value = draw.choice((*VALUES, *TOKENS))
    text = (
        value.decode("utf-8", "surrogateescape")
        if isinstance(value, bytes)
        else str(value)
        if value != 10**4000
        else LONG
    )
    return text.replace("\0", "").replace("\ud800", "\udcff")
