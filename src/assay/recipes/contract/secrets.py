"""Finds secrets among the variables and options of recipes, and says how each may be shown, stored and passed on.

A value is a secret by its name (`GH_TOKEN`, `AWS_SECRET_ACCESS_KEY`, `--pat`), or by itself: a URL with a password,
a token or a signature. A process gets a secret in its environment, never in a file or a command line that others can
read. Reports, logs and messages show `***` instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assay.recipes.values import Given, Values

HIDDEN = "***"
_WORDS = "TOKEN PAT SECRET SECRETS CREDENTIAL CREDENTIALS KEY AUTHORIZATION BEARER"
WORDS = frozenset(_WORDS.split())
"""Words of a name, between underscores, that make the value a secret."""
_ENDS = ("TOKEN", "SECRET", "APIKEY", "ACCESSKEY", "SECRETKEY")
"""Ends of a word that do the same, as in HFTOKEN."""
_PASSWORD = r"PWD\Z|PASS\Z|PASS(?:W|PHRASE|CODE|KEY)"
"""Parts of a name that mean a password: PWD, SSHPASS, PGPASSWORD, PASSWD. A value that is a path is no password, as
in PWD and SSH_ASKPASS."""
_ABOUT = "FILE FILES FILEPATH PATH DIR FOLDER NAME NAMES TYPE COUNT LENGTH LEN SIZE LIMIT URL"
ABOUT = frozenset(_ABOUT.split())
"""Last words of a name that describe a secret, such as its file, or count tokens of a text. Such a value is no
secret."""
_SWITCHES = frozenset(("", "yes", "no", "true", "false", "on", "off", "none", "null"))
# Patterns are compiled when they are used: a small run needs none of them.
_REFERENCE = r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})\Z"
_ADDRESS = r"(?i)\b[a-z][a-z0-9+.-]{0,20}://[^\s'\"<>]{1,4096}"  # bounded: logs hold lines of any length
_TELLING = (
    r"(?i)\Ahttps?://[^/?#]*@|://[^/?#@:]*:[^@]*@"
    r"|[?&;#][\w.-]*(?:sig|signature|token|key|secret|passw|credential)[\w.-]*="
)
# Inside a text: NAME=VALUE, "NAME": "VALUE", NAME: VALUE, --name VALUE. A path after a colon belongs to a mount.
_NAMED = r"(?<![\w./-])(?P<option>--)?(?P<name>\w[\w.-]*)(?:[\"']?\s*(?:=|:(?!\s*/))\s*|(?(option)\s+|(?!)))"
_VALUE = r"(?i)\"([^\"]*)\"|'([^']*)'|((?:(?:basic|bearer|token)\s+)?[^\s\"',;{}\[\]()]+)"
_KEY_BEGINS = "PRIVATE KEY"
"""Part of the first line of a key of OpenSSL, OpenSSH or PGP. A text with it is a secret, whatever its name."""
_KEY_BLOCK = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)"
_options: set[str] = set()
"""Options that recipes map to a secret variable, as `--tok` to GH_TOKEN. They are learned when recipes are resolved."""
_SHORTEST = 6  # shorter texts are not searched for: they would match by chance


def learn(mapping: Given) -> None:
    """Learns from an `input_mapping`: an option that sets a secret variable is a secret from now on."""
    _options.update(str(option) for option, variable in mapping.items() if _sounds_secret(str(variable)))


def learn_below(description: Any) -> None:
    """Learns from every `input_mapping` of a description, including those of its variations and versions."""
    if isinstance(description, Mapping):
        mapping = description.get("input_mapping")
        learn(mapping if isinstance(mapping, Mapping) else {})
    if isinstance(description, (Mapping, list)):
        for part in description.values() if isinstance(description, Mapping) else description:
            learn_below(part)


def is_secret(name: str, value: Any) -> bool:
    """Whether a value is a secret, by its name or by itself. Switches, small numbers and references to variables are
    not."""
    text = str(value)
    if isinstance(value, (bool, dict, list, type(None))) or text.lower() in _SWITCHES:
        return False
    if text[0] == "$" and re.match(_REFERENCE, text):
        return False
    if _telling(text) or _without_keys(text) != text:
        return True
    is_small = text.isdecimal() and len(text) < 5
    return not is_small and (name in _options or _sounds_secret(name, text))


def _sounds_secret(name: str, value: str = "") -> bool:
    words = str(name).upper().replace("-", "_").split("_")  # YAML keys need not be texts
    if words[-1] in ABOUT:
        return False
    if any(word in WORDS or word.endswith(_ENDS) for word in words):
        return True
    return not value.startswith("/") and any(re.search(_PASSWORD, word) for word in words)


def apart(env: Given) -> tuple[Values, dict[str, str]]:
    """(variables that a script file may contain, secret variables that its process gets in the environment)."""
    secret = {name: str(value) for name, value in env.items() if is_secret(name, value)}
    return {name: value for name, value in env.items() if name not in secret}, secret


def parted(values: Given) -> tuple[Values, Values]:
    """(values without secrets, values that are or contain a secret), both with the nesting of the input."""
    plain: Values = {}
    secret: Values = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            plain[name], inner = parted(value)
            secret |= {name: inner} if inner else {}
        else:
            (secret if holds(value, name) else plain)[name] = value
    return plain, secret


def holds(value: Any, name: str = "") -> bool:
    """Whether the value is or contains a secret, such as `-e GH_TOKEN=…` in a list of options."""
    values = list(value) if isinstance(value, tuple) else value
    return [hidden(value, name)] != [values]  # compared as lists, because NaN equals itself only there


def hidden(value: Any, name: str = "") -> Any:
    """A value with its secrets replaced by `***`, on all levels."""
    if isinstance(value, Mapping):
        return {key: hidden(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and not hasattr(value, "as_json"):
        return [hidden(item, _option(before) or name) for before, item in zip(["", *value], value)]
    if isinstance(value, str) and (_telling(value) or not is_secret(name, value)):
        return _in_addresses(_without_named(value))
    return HIDDEN if is_secret(name, value) else value


def _option(word: Any) -> str:
    """The name of an option that has its value in the next word of a command line; empty for other words."""
    return word[2:] if isinstance(word, str) and word.startswith("--") and "=" not in word else ""


def without(values: Given) -> Values:
    """The values without the secrets, for records that are read again later."""
    return parted(values)[0]


def hidden_words(words: Iterable[str]) -> list[str]:
    """The words of a command line with secrets replaced: `--env.GH_TOKEN=***`."""
    found, before = [], ""
    for word in map(str, words):
        flag, equals, value = word.partition("=")
        if not equals or "://" in flag:
            found.append(hidden(word, _option(before)))
        else:
            found.append(f"{flag}={hidden(value, _last(flag))}")
        before = word
    return found


def _last(flag: str) -> str:
    """The last part of a dotted flag: `--env.GH_TOKEN,` gives GH_TOKEN."""
    return flag.lstrip("-").rstrip(",").rpartition(".")[2]


def _named(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each secret in a text that stands after its name."""
    find, value_at, place = re.compile(_NAMED).search, re.compile(_VALUE).match, 0
    while found := find(text, place):
        place, name = found.end(), _last(found["name"])
        if not (name in _options or _sounds_secret(name)):
            continue  # checked before the value is searched, which may be the whole rest
        if (value := value_at(text, place)) and is_secret(name, value[value.lastindex or 0]):
            yield value.span(value.lastindex or 0)
            place = value.end()


def _without_named(text: str) -> str:
    shown, end = [], 0
    for start, stop in _named(text):
        shown += [text[end:start], HIDDEN]
        end = stop
    return "".join([*shown, text[end:]])


def in_text(text: str, *environments: Given) -> str:
    """A text with secrets replaced: those of these variables and options, and those in URLs."""
    for name, value in _plain(environments):
        whole = [str(value)] if is_secret(name, value) else []
        inside = [value[start:stop] for start, stop in _named(value)] if isinstance(value, str) else []
        for secret in [part for found in (*whole, *inside) for part in _parts(found)]:
            text = text.replace(secret, HIDDEN)
    return _in_addresses(text)


def _plain(environments: Iterable[Given]) -> Iterator[tuple[str, Any]]:
    """Each name with its value, on all levels: in `env`, `const`, lists."""
    for env in environments:
        for name, value in env.items():
            if isinstance(value, Mapping):
                yield from _plain([value])
            elif isinstance(value, (list, tuple)):
                yield from _plain([{str(name): item} for item in value])
            else:
                yield str(name), value


def _parts(value: str) -> list[str]:
    """The whole value, and the password if it is a URL. Short texts are left out."""
    parts = [value, *re.findall(r"://[^/?#@:]*:([^@]*)@", value)]
    return [part for part in parts if len(part) >= _SHORTEST]


def _telling(text: str) -> bool:
    return "://" in text and any(re.search(_TELLING, address) for address in re.findall(_ADDRESS, text))


def _in_addresses(text: str) -> str:
    """Replaces secrets in URLs, and private keys. URLs without a secret stay as they are."""
    from assay.ground.redact import addresses

    text = _without_keys(text)
    return re.sub(_ADDRESS, lambda found: addresses(found[0]) if _telling(found[0]) else found[0], text)


def _without_keys(text: str) -> str:
    """Replaces private keys. If the end of a key is missing, the rest of the text is replaced."""
    return re.sub(_KEY_BLOCK, HIDDEN, text, flags=re.DOTALL) if _KEY_BEGINS in text else text
