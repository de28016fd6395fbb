"""Secrets of a SUT: an option names the environment variable, and the value is read here, where it is used.

The value is in no config, record, command line or message. An option whose text would hold a secret is refused.
"""

from __future__ import annotations

import os
import re
import shlex

from assay.ground.errors import ConfigError

_NAMES_ONE = re.compile(
    r"--(.*[-_])?(api[-_]keys?|(auth|hf|access|bearer)[-_]token|password|passwd|secret)", re.I
)
"""An option of a server that takes a secret, as vLLM's and SGLang's --api-key."""


def value(variable: str) -> str:
    """Raises: ConfigError when the variable is not set, or is empty."""
    found = os.environ.get(variable, "").strip()
    if not found:
        raise ConfigError(f"the environment variable {variable} is not set", f"export {variable}=…")
    return found


def refuse_in(text: str) -> None:
    """Raises: ConfigError for a command line that holds a secret: others can read it, and it would be recorded."""
    try:
        words = shlex.split(text)
    except ValueError:
        return  # whoever starts the command says what is wrong with it
    for word in words:
        name = word.partition("=")[0]
        if _NAMES_ONE.fullmatch(name):
            raise ConfigError(
                f"the arguments of a server must hold no secret, and {name} is one",
                "leave it out: a server that Assay starts listens on this machine only",
            )
