"""Reading: what tags and variables of CM ask for, field by field, as texts that `config_options` reads.

Knows the table of `cm_settings` and CM's precedence; which benchmarks are refused is `cm`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from assay import suts
from assay.config import Scenario
from assay.doors import config_options, sut_options
from assay.doors.cm_refused import NotOffered, refuse
from assay.doors.cm_settings import (
    ALL_SCENARIOS,
    FOLDER_KEY,
    OPTION_KEY,
    WORKLOAD,
    Setting,
    option_setting,
    settings,
)
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.sut.option import BETWEEN
from assay.recipes.model.selection import Selection

MOUNT = "/cm-mount"
"""CM's containers see the host folder /x as /cm-mount/x; on the host the prefix means nothing."""

Env = Mapping[str, Any]


class Asked(NamedTuple):
    """One value asked for, as text, and by what."""

    text: str
    where: str


class Reading:
    """All that is asked for: `texts` and `origin` by dotted field of BenchmarkConfig.

    `env` is what the caller gave, `defaults` what the recipe gives where the caller was silent, both with CM_ names.
    Raises: ConfigError for a word that nobody knows, and for a variation against another explicit value of the same
    field, naming both; NotOffered for what Assay does not do.
    """

    def __init__(self, selection: Selection, env: Env, defaults: Env) -> None:
        self.selection = selection
        self.env = env
        self.defaults = defaults
        self.texts: dict[str, str] = {}
        self.origin: dict[str, str] = {}
        options = (
            key.removeprefix(OPTION_KEY).lower() for key in {**defaults, **env} if key.startswith(OPTION_KEY)
        )
        for setting in (*settings(), *map(option_setting, options)):
            if (asked := self._asked(setting)) is not None:
                self.texts[setting.field], self.origin[setting.field] = asked

    def _asked(self, setting: Setting) -> Asked | None:
        """What the caller asks for, else what the recipe's defaults do."""
        asked = self._explicit(setting)
        if asked is None and (default := self._of_variable(setting, self.defaults)) is not None:
            asked = Asked(default.text, f"default of CM's recipe: {default.where}")
        if asked is not None and asked.text == ALL_SCENARIOS:
            return Asked(self._all_scenarios(), asked.where)
        return asked

    def _explicit(self, setting: Setting) -> Asked | None:
        """What the caller asks for: a variation or a variable; both only when they say the same."""
        asked = [*self._of_variations(setting)]
        if (variable := self._of_variable(setting, self.env)) is not None:
            asked.append(variable)
        for other in asked[1:]:
            if _value(setting, other) != _value(setting, asked[0]):
                raise ConfigError(
                    f"{setting.field} is asked for twice: {asked[0].where} and {other.where}",
                    "leave one of them out",
                )
        return asked[0] if asked else None

    def _of_variations(self, setting: Setting) -> Iterator[Asked]:
        for name in self.selection.variations:
            if (text := setting.text_of_variation(name)) is not None:
                yield Asked(text, f"variation _{name}")

    def _of_variable(self, setting: Setting, env: Env) -> Asked | None:
        """What the first of the setting's variables that asks for anything asks for."""
        for key in setting.keys_beside(self.texts):
            raw = env.get(key)
            between = BETWEEN if key.startswith(OPTION_KEY) else ","
            value = between.join(map(str, raw)) if isinstance(raw, list) else "" if raw is None else str(raw)
            if not value.strip():
                continue
            where = f"{key}={value}"
            # A SUT of ours may have the name of something that upstream has and Assay does not: its backend ray.
            if setting.field != "sut" or value.strip().lower() not in suts.TABLE:
                refuse(value, where)
            text = setting.text_of(key, value)
            if text is not None:
                asked = Asked(self._on_host(setting, text, env), where)
                _value(setting, asked)  # so that a word nobody knows is told with its variable
                return asked
        return None

    def _on_host(self, setting: Setting, text: str, env: Env) -> str:
        """`text` itself, or the host's folder that it means."""
        if not setting.field.startswith("paths.") and setting.field != "submission.out":
            return text
        if text.startswith(f"{MOUNT}/"):
            text = text.removeprefix(MOUNT)
        if setting.field == "paths.out":
            return str(Path(text) / str(env.get(FOLDER_KEY) or f"{self.texts.get('style', 'test')}_results"))
        return text

    def _all_scenarios(self) -> str:
        """Offline and Server, or what the workload knows in their place: an edge one has no Server."""
        known = workloads.get(self.texts.get("workload", WORKLOAD)).loadgen_keys
        usual = [each for each in (Scenario.OFFLINE, Scenario.SERVER) if each in known]
        return ",".join(each.value.lower() for each in (usual if len(usual) > 1 else known))


def _value(setting: Setting, asked: Asked) -> Any:
    """Raises: ConfigError for a word that nobody knows; NotOffered for such a model or implementation."""
    try:
        if setting.field == "workload":
            workloads.get(asked.text)
            return asked.text
        if asked.text == ALL_SCENARIOS or setting.field.startswith(f"{sut_options.GROUP}."):
            return asked.text  # read when the workload or the SUT is known
        return config_options.read(setting.field, asked.text, asked.where)
    except ConfigError as error:
        if setting.field in ("workload", "sut"):
            raise NotOffered(f"{asked.where}: {error.message}", error.hint) from error
        raise
