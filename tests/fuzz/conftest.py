"""The home with small recipes of the tests of recipes."""

from tests.recipes.conftest import kit

__all__ = ["kit"]
