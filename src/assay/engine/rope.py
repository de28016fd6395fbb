"""Rotary position embeddings: what config.json says of how fast each pair of channels turns.

The formulas are `ops.reference`'s. Source of the fields and their order: modeling_rope_utils.py of transformers 5.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.engine.fields import Fields
from assay.ground.errors import ConfigError


@dataclass(frozen=True)
class LinearScaling:
    """Every position counts as position / factor."""

    factor: float


@dataclass(frozen=True)
class Llama3Scaling:
    """Slow pairs turn `factor` times slower, fast ones as before, those between them in proportion."""

    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_positions: int
    """Longest sequence of the first training"""


RopeScaling = LinearScaling | Llama3Scaling


def read(fields: Fields, usual_theta: float) -> tuple[float, RopeScaling | None]:
    """(theta, scaling) of a config.json. Where a value stands twice, the order is that of transformers 5: rope_scaling
    over rope_parameters, and either over the fields on top.

    Raises: ConfigError for a kind of scaling that the engine does not know.
    """
    rope = fields.within("rope_scaling", "rope_parameters")
    place = next(
        (f for f in (rope, fields) if f.tree.get("rope_theta") is not None), Fields({}, fields.where)
    )
    return place.number("rope_theta", usual_theta), _scaling(fields, rope)


def _scaling(fields: Fields, rope: Fields) -> RopeScaling | None:
    kind = rope.tree.get("rope_type", rope.tree.get("type"))
    if kind in ("default", None):
        return None
    if kind not in ("linear", "llama3"):
        raise ConfigError(
            f"{fields.where}: rope type {kind!r}; the engine knows default, linear and llama3",
            "use --sut transformers for other kinds",
        )
    for place in (rope, fields):
        if place.tree.get("partial_rotary_factor", 1) not in (1, None):
            raise place.wrong("partial_rotary_factor", place.tree["partial_rotary_factor"], "1")
    if kind == "linear":
        return LinearScaling(rope.number("factor"))
    name = "original_max_position_embeddings"
    original = next((f for f in (fields, rope) if f.tree.get(name) is not None), None)
    return Llama3Scaling(
        rope.number("factor"),
        rope.number("low_freq_factor"),
        rope.number("high_freq_factor"),
        original.positive(name) if original else fields.positive("max_position_embeddings"),
    )
