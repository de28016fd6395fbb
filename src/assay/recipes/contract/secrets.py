"""What is a secret among the variables and options of recipes, and how each may be shown, kept and handed on.

A name says it (`GH_TOKEN`, `AWS_SECRET_ACCESS_KEY`, `--pat`), or the value does: an address with a password, a token
or a signature in it. A secret goes to a process by its environment, never by a file or a command line that others can
read; reports, logs and messages show `***` in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from assay.recipes.typing_stub import Any

HIDDEN = "***"
_WORDS = (
    "TOKEN PASSWORD PASSWD PASSPHRASE PASS PAT SECRET SECRETS CREDENTIAL CREDENTIALS KEY AUTHORIZATION BEARER"
)
WORDS = frozenset(_WORDS.split())
"""Words of a name, between underscores, that make its value a secret."""
_ENDS = ("TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "APIKEY", "ACCESSKEY", "SECRETKEY")
"""Ends of a word that do so too: PGPASSWORD, HFTOKEN."""
_ABOUT = "FILE FILES FILEPATH PATH DIR FOLDER NAME NAMES TYPE COUNT LENGTH LEN SIZE LIMIT URL"
ABOUT = frozenset(_ABOUT.split())
"""Last words of a name that make it say something about a secret, or about tokens of a text."""
_SWITCHES = frozenset(("", "yes", "no", "true", "false", "on", "off", "none", "null"))
# Patterns are compiled when they are used: a small run needs none of them.
_REFERENCE = r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})\Z"
_ADDRESS = r"(?i)\b[a-z][a-z0-9+.-]{0,20}://[^\s'\"<>]{1,4096}"  # bounded: logs hold lines of any length
_TELLING = (
    r"(?i)\Ahttps?://[^/?#]*@|://[^/?#@:]*:[^@]*@"
    r"|[?&;#][\w.-]*(?:sig|signature|token|key|secret|passw|credential)[\w.-]*="
)
_ASSIGNMENT = r"([\w.-]+)=(\S+)"
_options: set[str] = set()
"""Options that recipes map to a secret variable, as `--tok` to GH_TOKEN; learned when recipes are resolved."""
_SHORTEST = 6  # a shorter text is not looked for in others: it would be found by chance


def learn(mapping: Mapping[str, Any]) -> None:
    """Take in an `input_mapping`: an option that becomes a secret variable is secret itself, from now on."""
    _options.update(str(option) for option, variable in mapping.items() if _sounds_secret(str(variable)))


def is_secret(name: str, value: Any) -> bool:
    """Is this a secret, by its name or by itself? Switches, small numbers and references to variables are none."""
    text = str(value)
    if isinstance(value, (bool, dict, list, type(None))) or text.lower() in _SWITCHES:
        return False
    if text[0] == "$" and re.match(_REFERENCE, text):
        return False
    if _telling(text):
        return True
    is_small = text.isdecimal() and len(text) < 5
    return not is_small and (name in _options or _sounds_secret(name))


def _sounds_secret(name: str) -> bool:
    words = name.upper().replace("-", "_").split("_")
    return words[-1] not in ABOUT and any(word in WORDS or word.endswith(_ENDS) for word in words)


def apart(env: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """(what a script file may hold, what goes by the environment of its process)."""
    secret = {name: str(value) for name, value in env.items() if is_secret(name, value)}
    return {name: value for name, value in env.items() if name not in secret}, secret


def hidden(value: Any, name: str = "") -> Any:
    """A value, or all that is in it, as it may be shown."""
    if isinstance(value, Mapping):
        return {key: hidden(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and not hasattr(value, "as_json"):
        return [hidden(item, name) for item in value]
    if not is_secret(name, value):
        is_option = isinstance(value, str) and value.startswith("-")  # of a command line
        return hidden_words([value])[0] if is_option else value
    return _in_addresses(value) if isinstance(value, str) and _telling(value) else HIDDEN


def without(value: Any, name: str = "") -> Any:
    """A value without the secrets in it: for records that something is made from again."""
    if isinstance(value, Mapping):
        return {k: without(v, str(k)) for k, v in value.items() if not is_secret(str(k), v)}
    if isinstance(value, (list, tuple)):
        return [without(item, name) for item in value if not is_secret(name, item)]
    return value


def hidden_words(words: Iterable[str]) -> list[str]:
    """The words of a command line as they may be shown: `--env.GH_TOKEN=***`."""
    found = []
    for word in map(str, words):
        flag, equals, value = word.partition("=")
        name = flag.lstrip("-").rpartition(".")[2]
        if not equals or "://" in flag:
            found.append(_in_addresses(word))
        elif value.startswith("-") and not is_secret(name, value):  # options of another command
            found.append(f"{flag}={_in_addresses(re.sub(_ASSIGNMENT, _shown, value))}")
        else:
            found.append(f"{flag}={hidden(value, name)}")
    return found


def _shown(assignment: re.Match[str]) -> str:
    name = assignment[1].lstrip("-").rpartition(".")[2]
    return (
        f"{assignment[1]}={hidden(assignment[2], name) if is_secret(name, assignment[2]) else assignment[2]}"
    )


def in_text(text: str, *environments: Mapping[str, Any]) -> str:
    """A text as it may be shown: without the secrets of these variables and options, and those in its addresses."""
    for name, value in _plain(environments):
        if is_secret(name, value):
            for secret in _parts(str(value)):
                text = text.replace(secret, HIDDEN)
    return _in_addresses(text)


def _plain(environments: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Each name with its value, also of those that stand below another: `env`, `const`."""
    for env in environments:
        for name, value in env.items():
            if isinstance(value, Mapping):
                yield from _plain([value])
            else:
                yield str(name), value


def _parts(value: str) -> list[str]:
    """The whole value, and the password of an address."""
    parts = [value, *re.findall(r"://[^/?#@:]*:([^@]*)@", value)]
    return [part for part in parts if len(part) >= _SHORTEST]


def _telling(text: str) -> bool:
    return "://" in text and any(re.search(_TELLING, address) for address in re.findall(_ADDRESS, text))


def _in_addresses(text: str) -> str:
    """Only addresses that tell something are changed: the query of another one is no secret."""
    from assay.ground.redact import addresses

    return re.sub(_ADDRESS, lambda found: addresses(found[0]) if _telling(found[0]) else found[0], text)
