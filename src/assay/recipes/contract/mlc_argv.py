"""MLC's command line as the same plain data as CM's: `run script get,python3,_v --env.A=1` -> one dictionary."""

from __future__ import annotations

from assay.recipes.contract.argv import Inputs, set_nested
from assay.recipes.errors import GENERAL, RecipeFault

LETTERS = {"f": "f", "s": "silent", "v": "verbose", "q": "quiet", "j": "j", "h": "help"}
WITHOUT_TARGET = ("help", "reindex", "version")
TARGETS = ("script", "cache", "repo", "repos", "experiment")
ONE_RECIPE = ("run", "docker", "test", "prepare")  # actions that take one recipe


def parse(words: list[str], *, interactive: bool) -> Inputs:
    """The inputs of an action. Without a terminal a run is quiet, as in MLC.

    Raises: RecipeFault (1) for a word that is not plain ASCII, and for a second word where only one recipe is
    allowed.
    """
    for word in words:
        if not word.isascii():
            raise RecipeFault(
                f"{word!r} is not plain ASCII", GENERAL, "was the command line copied from a web page?"
            )
    inputs: Inputs = {}
    plain: list[str] = []
    for position, word in enumerate(words):
        if word == "--":
            inputs["unparsed_cmd"] = words[position + 1 :]
            break
        if word.startswith("--"):
            _set_long(inputs, word)
        elif word.startswith("-") and len(word) > 1:
            _set_short(inputs, word)
        else:
            plain.append(word)
    if plain:
        inputs["action"] = plain.pop(0)
    if plain and inputs.get("action") == "help" and plain[0] in TARGETS:
        inputs["automation"] = plain.pop(0)
    if plain and inputs.get("action") not in WITHOUT_TARGET:
        inputs["automation"] = plain.pop(0)
    if inputs.get("action") == "reindex":
        inputs["automation"] = "repo"
    _set_details(inputs, plain)
    if inputs.get("action") in ("run", "docker", "test") and not interactive:
        inputs.setdefault("quiet", True)
    inputs["cmd"] = list(words[2:])
    return inputs


def _set_details(inputs: Inputs, plain: list[str]) -> None:
    """Sets the words after the target: tags if the first contains a comma, else names."""
    if not plain:
        return
    if inputs.get("automation") == "script" and inputs.get("action") in ONE_RECIPE:
        _check_one_recipe(inputs, plain)
    if inputs.get("automation") in ("script", "cache", "experiment") and "," in plain[0]:
        inputs.setdefault("tags", plain.pop(0))
    if plain:
        inputs["artifact"], *more = plain
        if more:
            inputs["artifacts"] = more


def _check_one_recipe(inputs: Inputs, plain: list[str]) -> None:
    """Raises: RecipeFault (1) for a second word. It is usually caused by a blank between tags. mlc ignores the
    second word and runs another recipe than the user meant."""
    tags = str(inputs.get("tags") or "")
    only_variations = all(tag.lstrip("-").startswith("_") for tag in tags.split(",") if tag)
    words = [*plain, *([tags] if tags and only_variations else [])]
    if len(words) > 1:
        meant = ",".join(word.strip(",") for word in words)
        raise RecipeFault(
            f"{words[1]!r} stands apart from {words[0]!r}, and a run takes one recipe",
            GENERAL,
            f"was {meant} meant? Write it as one word",
        )


def _set_long(inputs: Inputs, word: str) -> None:
    key, equals, value = word[2:].partition("=")
    if "," in key.rstrip(",") or not key:
        return  # MLC ignores a key with a comma inside
    if "." not in key:
        key = key.replace("-", "_")
    if key.endswith(","):
        set_nested(inputs, key[:-1], value.split(",") if value else [])
    else:
        set_nested(inputs, key, value if equals else True)


def _set_short(inputs: Inputs, word: str) -> None:
    """`-fv` sets f and verbose; `-e=1` sets e."""
    letters, equals, value = word[1:].partition("=")
    if equals:
        inputs[LETTERS.get(letters, letters)] = value
        return
    for letter in letters:
        inputs[LETTERS.get(letter, letter)] = True
