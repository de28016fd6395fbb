"""The words of one verb, read as the command line reads them."""

from __future__ import annotations

import argparse
from types import ModuleType

from assay.cli.arguments import parser_of


def parsed(verb: ModuleType, *words: str) -> argparse.Namespace:
    """What `verb.run` gets. Raises: ConfigError for words that are refused."""
    known, unknown = parser_of(verb.__name__.rpartition(".")[2], verb).parse_known_args(words)
    assert not unknown
    return known
