"""A submission tree from run folders: built beside its place and put there by one rename: whole or unchanged."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.config import Mode
from assay.ground import files, folders
from assay.ground.errors import ConfigError
from assay.ground.names import path_name
from assay.ground.parsed import json_value
from assay.mlperf import workloads
from assay.mlperf.logs import names
from assay.mlperf.submission import artefacts, documents, truncate
from assay.mlperf.submission.source import TreeEntry, collect
from assay.mlperf.submission.system import describe, read_said
from assay.mlperf.submission.tree import FAKE_MARK, Layout, Place
from assay.mlperf.submission.tree_request import TreeRequest
from assay.mlperf.submission.verify import verify


@dataclass(frozen=True)
class Written:
    root: Path
    places: tuple[Place, ...]
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """system -> required fields without a value"""


def write(runs: Sequence[Path], request: TreeRequest, root: Path) -> Written:
    """Add the entries of `runs` to the tree at `root`, which is made when it is not there.

    Raises: ConfigError for what must not be submitted (a fake, another round's run, an entry that the tree
    already holds) or when there is no entry, ArtifactError for what is no run folder or whose result.json and logs
    disagree, RunFailed for a run whose answers failed, EnvironmentProblem when the disk is full.
    """
    entries = collect(runs, request.system_name)
    for entry in entries:
        request.refuse(entry)
        for run, record in entry.modes.values():
            verify(run, record)
    if not entries:
        raise ConfigError(f"{', '.join(map(str, runs))}: no run in it", "run the benchmark again")
    places = [_place(entry, request) for entry in entries]
    if root.exists() and not root.is_dir():
        raise ConfigError(f"{root} is no folder", "give --out a folder to make, or a tree to add to")
    real = Path(os.path.realpath(root))
    unknown: dict[str, tuple[str, ...]] = {}
    try:
        with folders.workshop(real) as shop:
            stage, tree = shop / "new", shop / "tree"
            builder = _Builder(stage, real, request, Layout.of(request.round))
            for entry, place in zip(entries, places):
                unknown[entry.system] = builder.entry(entry, place)
            _refuse_existing(stage, root, request, places)
            _put(stage, tree, real, request.division)
    except OSError as error:
        raise files.as_problem(error, root) from error
    return Written(root, tuple(places), {name: left for name, left in unknown.items() if left})


def _place(entry: TreeEntry, request: TreeRequest) -> Place:
    """Where an entry belongs. Raises: ConfigError for a name that cannot be a folder's."""
    return Place(
        path_name(request.division, "division"),
        path_name(request.submitter, "submitter"),
        path_name(entry.system, "system"),
        path_name(entry.benchmark, "workload"),
        path_name(entry.scenario.value, "scenario"),
    )


def _refuse_existing(stage: Path, root: Path, request: TreeRequest, places: Sequence[Place]) -> None:
    """An entry that the tree holds already with the same files may be written again."""
    layout = Layout.of(request.round)
    for place in places:
        there, new = root / layout.results(place), stage / layout.results(place)
        if there.exists() and _digests(there) != _digests(new):
            raise ConfigError(
                f"{root} already holds another {layout.results(place)}",
                "remove that folder first, or give another --system-name",
            )


def _digests(folder: Path) -> dict[Path, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): files.sha256(path) for path in found}


def _put(stage: Path, tree: Path, root: Path, division: str) -> None:
    """Move every entry below its division. An existing root is not replaced: somebody may be working in it."""
    if root.is_dir() and (root / division).is_dir():
        folders.copied(root / division, tree / division)
    _move(stage, tree)
    if root.is_dir():
        folders.put(tree / division, root / division)
    else:
        folders.put(tree, root)


def _move(stage: Path, root: Path) -> None:
    for path in sorted(p for p in stage.rglob("*") if p.is_file()):
        target = root / path.relative_to(stage)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


@dataclass(frozen=True)
class _Builder:
    """Writes entries below `stage`; `root` is read for what the tree already says."""

    stage: Path
    root: Path
    request: TreeRequest
    layout: Layout

    def entry(self, entry: TreeEntry, place: Place) -> tuple[str, ...]:
        """Write everything of one entry; gives the system fields without a value."""
        if self.request.is_endpoints:
            for name, text in artefacts.files(entry).items():
                self._text(f"{self.layout.results(place)}/{name}", text)
        else:
            self._logs(entry, place)
            self._configuration(entry, place)
            for name, path in entry.compliance().items():
                self._copy(path, f"{self.layout.compliance(place, name)}")
        self._measurements(entry, place)
        self._documents(entry, place)
        return self._system(entry, place)

    def _text(self, path: str, text: str) -> None:
        target = self.stage / path
        target.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(target, text)

    def _copy(self, source: Path, path: str) -> None:
        target = self.stage / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def _logs(self, entry: TreeEntry, place: Place) -> None:
        for name, path in entry.logs(Mode.PERFORMANCE).items():
            self._copy(path, f"{self.layout.performance(place)}/{name}")
        logs = entry.logs(Mode.ACCURACY)
        answers = logs.pop(names.ACCURACY_FILE, None)
        verdict = logs.pop(names.ACCURACY_TEXT, None)
        folder = self.layout.accuracy(place)
        for name, path in logs.items():
            self._copy(path, f"{folder}/{name}")
        if answers is not None:
            target = self.stage / folder / names.ACCURACY_FILE
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(truncate.cut(answers))
        if verdict is not None:
            text = verdict.read_text(encoding="utf-8", errors="backslashreplace")
            self._text(
                f"{folder}/{names.ACCURACY_TEXT}", truncate.with_hash(text, answers) if answers else text
            )

    def _configuration(self, entry: TreeEntry, place: Place) -> None:
        folder = self.layout.measurements(place)
        if entry.user_conf.is_file():
            self._copy(entry.user_conf, f"{folder}/{names.USER_CONF}")
        if self.request.round.needs_mlperf_conf:
            self._text(f"{folder}/{names.MLPERF_CONF}", documents.mlperf_conf(entry))

    def _measurements(self, entry: TreeEntry, place: Place) -> None:
        folder = self.layout.measurements(place)
        readme = self.request.readme(entry.run.result, entry.scenario)
        if entry.run.result.is_fake:
            readme = f"**{FAKE_MARK}: the answers were not computed by a model.**\n\n{readme}"
        self._text(f"{folder}/README.md", readme)
        self._text(self.layout.measurement_file(place), _json(documents.measurement(entry)))

    def _documents(self, entry: TreeEntry, place: Place) -> None:
        owner = (place.division, place.submitter)
        code = f"{self.layout.code(*owner, place.benchmark)}/README.md"
        self._text(code, documents.code_readme(entry))
        calibration = self.layout.calibration(*owner)
        if self.request.calibration is not None:
            self._copy(self.request.calibration, calibration)
        elif not (self.root / calibration).exists():
            self._text(calibration, documents.calibration_text(entry))
        if place.division == "open" and place.benchmark not in self.request.round.workloads:
            path = self.layout.model_mapping(place.submitter)
            self._text(
                path,
                _json({**self._existing(path), place.benchmark: workloads.get(place.benchmark).official}),
            )

    def _system(self, entry: TreeEntry, place: Place) -> tuple[str, ...]:
        path = self.layout.system_file(place.division, place.submitter, place.system)
        said = read_said(self.request.system_file, place.system, self.request.round)
        owner = (place.division, place.submitter, place.system)
        description = describe(entry.run, self.request.round, *owner, said)
        before = self._existing(path)
        if before and before != dict(description.fields):
            differing = [f for f, value in description.fields.items() if before.get(f) != value]
            raise ConfigError(
                f"{path} describes another system: {', '.join(differing[:5])} differ",
                "give this run a system of its own with --system-name NAME",
            )
        self._text(path, _json(description.fields))
        return description.unknown

    def _existing(self, path: str) -> dict[str, str]:
        """A JSON object that the stage or the tree holds already; empty when neither does."""
        for base in (self.stage, self.root):
            if (base / path).is_file():
                try:
                    value = json_value((base / path).read_text(encoding="utf-8"))
                except ValueError as error:
                    raise ConfigError(f"{base / path} is not JSON: {error}", "repair or remove it") from error
                if not isinstance(value, dict):
                    raise ConfigError(f"{base / path} does not hold a JSON object", "repair or remove it")
                return value
        return {}


def _json(value: Mapping[str, str]) -> str:
    return json.dumps(dict(value), indent=2) + "\n"
