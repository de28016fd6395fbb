"""run.yaml, or the config.json of a run, as text by dotted field: what is measured, and the Delivery around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from assay.config import ContainerRequest, Delivery, MayFetch, plain
from assay.doors import sut_options
from assay.ground import parsed, paths
from assay.ground.errors import ConfigError, did_you_mean
from assay.ground.nearness import nearest
from assay.ground.typed import typed
from assay.mlperf.sut.option import BETWEEN, text_of

RUN_YAML = "run.yaml"
"""What a file of settings is called where its name is not known."""
CHARS_MAX = 1 << 20
"""Of a run.yaml: a thousand times what all fields take."""
DELIVERY = "delivery"
"""Key of the part around the measurement."""
GROUPS = {"container": plain(ContainerRequest()), "may_fetch": plain(MayFetch())}
"""Groups of keys inside it, as they stand when nothing is said."""
WORDS = {"scenario": "scenarios", "mode": "modes"}
"""The flags' words, which are accepted beside the field names."""


@dataclass(frozen=True)
class RunFile:
    """What a file asks for. An empty one asks for nothing."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """Dotted field of BenchmarkConfig -> text; `workload` is a field too."""
    delivery: Mapping[str, Any] = field(default_factory=dict)
    """Fields of Delivery -> plain values, as config.json holds them."""
    place: str = RUN_YAML

    @property
    def name(self) -> str:
        """What a record says of the settings: `run.yaml`, `config.json`."""
        return PurePath(self.place).name

    def without(self, names: Collection[str]) -> RunFile:
        """The same, with nothing said of these fields of Delivery."""
        return replace(self, delivery={k: v for k, v in self.delivery.items() if k not in names})

    def delivery_over(self, usual: Delivery) -> Delivery:
        """What the file asks for, and `usual` where it asks for nothing. Raises: ConfigError that names the key."""
        try:
            return typed(Delivery, _merged(plain(usual), self.delivery, DELIVERY), DELIVERY)
        except ConfigError as error:
            raise ConfigError(f"{error.message} in {self.place}", error.hint) from None
        except ValueError as error:
            hint = f"see {DELIVERY!r} in the config.json of a run"
            raise ConfigError(f"{error} (in {self.place})", hint) from None


def read(path: Path, known: Collection[str]) -> RunFile:
    """The file; `known` are the dotted fields that it may name. Raises: ConfigError."""
    tree = _tree(path)
    tree.pop("origin", None)  # a run's config.json says where its values came from
    delivery = tree.pop(DELIVERY, None) or {}
    if not isinstance(delivery, dict):
        raise ConfigError(f"{DELIVERY!r} in {path} is a group of keys, not {delivery!r}", "see config.json")
    settings: dict[str, str] = {}
    _flatten(tree, "", settings, path, [*known, "workload"])
    if settings.get("paths.out") == str(path.absolute().parent):
        del settings["paths.out"]  # the run that wrote it: a new run has a folder and a tree of its own
        settings.pop("submission.out", None)
    return RunFile(settings, delivery, str(path))


def _tree(path: Path) -> dict[Any, Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        """Refuses a key that stands twice: YAML forbids it, and PyYAML takes the last in silence."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = Counter(
                key.value for key, _ in node.value if isinstance(key.value, str) and key.value != "<<"
            )
            if twice := sorted(key for key, count in keys.items() if count > 1):
                raise yaml.YAMLError(f"{', '.join(twice)} stands twice in it")
            return super().construct_mapping(node, deep)

    try:
        with paths.source(path).open(encoding="utf-8") as file:
            text = file.read(CHARS_MAX + 1)
        if len(text) > CHARS_MAX:
            raise ValueError(f"it is longer than {CHARS_MAX:,} characters")
        tree = parsed.yaml_value(text, Loader)
    except (OSError, ValueError) as error:
        near = paths.near(path) if isinstance(error, FileNotFoundError) else ""
        raise ConfigError(
            f"cannot read {path}: {error}",
            near or "a YAML file of settings, as `workload: mixtral-nano`, or the config.json of a run",
        ) from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} does not hold a mapping", "for example `workload: mixtral-nano`")
    return tree


def _flatten(
    tree: Mapping[Any, Any], prefix: str, into: dict[str, str], path: Path, known: list[str]
) -> None:
    for key, value in tree.items():
        name = WORDS.get(f"{prefix}{key}", f"{prefix}{key}")
        is_group = name == sut_options.GROUP or any(field.startswith(f"{name}.") for field in known)
        if prefix == f"{sut_options.GROUP}." and not isinstance(value, Mapping):
            known = [*known, name]  # whose options these may be is known when the SUT is
        if name not in known and not is_group:
            raise ConfigError(f"unknown key {name!r} in {path}", _nearest_key(name, known))
        if isinstance(value, Mapping) and is_group:
            _flatten(value, f"{name}.", into, path, known)
        elif value is not None:
            if is_group or isinstance(value, Mapping):
                kind = "a group of keys" if is_group else "a value of its own"
                raise ConfigError(
                    f"{name!r} in {path} is {kind}, not {value!r}", "see the keys in config.json"
                )
            between = BETWEEN if prefix == f"{sut_options.GROUP}." else ","
            into[name] = between.join(map(str, value)) if isinstance(value, list) else text_of(value)


def _nearest_key(name: str, known: Collection[str]) -> str:
    """A key is also known by its last part, as a flag is: `samples` for `limits.samples`."""
    by_word = {field.rpartition(".")[2]: field for field in known}
    near = nearest(name, [*known, *by_word])
    return (
        f"did you mean {by_word.get(near[0], near[0])}?" if near else did_you_mean(name, [*known, DELIVERY])
    )


def _merged(
    usual: Mapping[str, Any], given: Mapping[Any, Any], name: str, groups: Mapping[str, Any] = GROUPS
) -> dict[str, Any]:
    """`given` over `usual`, group by group. Raises: ConfigError for a key that `usual` lacks, ValueError."""
    found = dict(usual)
    for key, value in given.items():
        if key not in usual:
            raise ConfigError(f"unknown key {f'{name}.{key}'!r}", did_you_mean(str(key), usual))
        if key in groups and value is not None:
            if not isinstance(value, Mapping):
                raise ValueError(f"{f'{name}.{key}'!r} is a group of keys, not {value!r}")
            value = _merged(found[key] or groups[key], value, f"{name}.{key}", {})
        found[key] = value
    return found
