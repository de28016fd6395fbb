"""Programs that must not pass, by language: each leaves early, fails, never ends or reaches for what decides.

None is a cheat that the official evaluation of its language believes: see docs/adr/0006-verdicts.md.
"""

from __future__ import annotations

from . import cpp, javascript, php, python, ruby, typescript

_BY_LANGUAGE = {
    "python": python,
    "javascript": javascript,
    "php": php,
    "ruby": ruby,
    "cpp": cpp,
    "typescript": typescript,
}
HOSTILE = [
    (language, name, program)
    for language, attacks in _BY_LANGUAGE.items()
    for name, program in attacks.HOSTILE.items()
]
"""(language, what it does, program)."""
RIGHT = [
    (language, program, test) for language, attacks in _BY_LANGUAGE.items() for program, test in attacks.RIGHT
]
"""(language, program, test)."""
