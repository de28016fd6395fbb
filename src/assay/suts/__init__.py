"""The SUTs that Assay ships: name -> module. A module is imported by name in the SUT process alone."""

from __future__ import annotations

from assay.ground.errors import ConfigError, did_you_mean

TABLE = {
    "echo": "assay.suts.echo",
    "engine": "assay.suts.engine",
    "transformers": "assay.suts.transformers",
}


def module_of(name: str) -> str:
    """Dotted name of the module that builds the SUT `name`. Raises: ConfigError with the nearest name."""
    if name not in TABLE:
        raise ConfigError(f"unknown SUT {name!r}", did_you_mean(name, TABLE))
    return TABLE[name]
