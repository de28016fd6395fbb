"""From run folders to a tree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.config import Scenario
from assay.ground.errors import ArtifactError, ConfigError
from assay.mlperf.checker.check import check
from assay.mlperf.record.result import RunResult, Status
from assay.mlperf.rounds import round as rounds
from assay.mlperf.submission.tree_request import TreeRequest
from assay.mlperf.submission.write import Written, write
from tests.mlperf import run_folder


def readme(result: RunResult, scenario: str) -> str:
    return f"# {result.workload} {scenario}\n"


def submit(
    runs: list[Path], root: Path, round_name: str = "v5.1", division: str = "closed", **more: object
) -> Written:
    values = {"submitter": "Tester", "division": division, "round": rounds.load(round_name), "readme": readme}
    return write(runs, TreeRequest(**{**values, **more}), root)  # type: ignore[arg-type]


def errors(root: Path, round_name: str = "v5.1") -> list[str]:
    report = check(root, rounds.load(round_name))
    return [f"{f.severity.value} {f.code} {f.path} {f.message}: {f.found}" for f in report.findings]


@pytest.mark.parametrize("round_name", ["v4.1", "v5.0", "v5.1", "v6.0"])
@pytest.mark.parametrize("division", ["closed", "open", "network"])
def test_what_is_written_has_no_findings(tmp_path: Path, round_name: str, division: str) -> None:
    run = run_folder.write(tmp_path / "run", round_name, network=division == "network")
    written = submit([run], tmp_path / "tree", round_name, division)
    assert written.unknown == {}
    assert errors(tmp_path / "tree", round_name) == []


@pytest.mark.parametrize("name", rounds.names())
def test_every_workload_of_every_round_can_be_written_and_judged(tmp_path: Path, name: str) -> None:
    round_ = rounds.load(name)
    for key, rules in round_.workloads.items():
        if "datacenter" not in rules.suites or set(rules.compliance) - {"TEST06"}:
            continue
        known = [scenario.value for scenario in Scenario]
        scenarios = tuple(each for each in (*rules.required, *rules.one_of) if each in known)
        run = run_folder.write(tmp_path / "runs" / key, name, key, scenarios)
        submit([run], tmp_path / "tree", name, "closed", system_name=f"system-{key}")
    assert errors(tmp_path / "tree", name) == []


def test_a_calibration_document_is_taken_byte_for_byte(tmp_path: Path) -> None:
    own = tmp_path / "own.md"
    own.write_bytes("Kalibrierung für Q8".encode("latin-1"))
    submit([run_folder.write(tmp_path / "run")], tmp_path / "tree", calibration=own)
    assert (tmp_path / "tree" / "closed" / "Tester" / "calibration.md").read_bytes() == own.read_bytes()


def test_performance_and_accuracy_may_come_from_two_runs(tmp_path: Path) -> None:
    one = run_folder.write(tmp_path / "one", modes=("performance",))
    two = run_folder.write(tmp_path / "two", modes=("accuracy",))
    submit([one, two], tmp_path / "tree")
    assert errors(tmp_path / "tree") == []


def test_entries_are_added_to_a_tree_that_exists(tmp_path: Path) -> None:
    submit([run_folder.write(tmp_path / "one", scenarios=("Offline",))], tmp_path / "tree")
    submit([run_folder.write(tmp_path / "two", scenarios=("Server",))], tmp_path / "tree")
    other = run_folder.write(tmp_path / "three")
    submit([other], tmp_path / "tree", division="open", system_name="second")
    assert errors(tmp_path / "tree") == []


def content(tree: Path) -> dict[str, bytes]:
    return {str(p.relative_to(tree)): p.read_bytes() for p in tree.rglob("*") if p.is_file()}


def test_an_entry_that_is_there_already_is_refused_and_kept(tmp_path: Path) -> None:
    submit([run_folder.write(tmp_path / "run")], tmp_path / "tree")
    before = content(tmp_path / "tree")
    other = run_folder.write(tmp_path / "other", modes=("performance",))
    with pytest.raises(ConfigError, match="already holds"):
        submit([other], tmp_path / "tree")
    assert content(tmp_path / "tree") == before


def test_the_same_run_again_changes_nothing(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run")
    submit([run], tmp_path / "tree")
    before = content(tmp_path / "tree")
    submit([run], tmp_path / "tree")
    assert content(tmp_path / "tree") == before


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("moves", [0, 3, 9])
def test_a_tree_is_whole_or_unchanged_wherever_the_work_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_new: bool, moves: int
) -> None:
    first = run_folder.write(tmp_path / "one", scenarios=("Offline",))
    second = run_folder.write(tmp_path / "two", scenarios=("Server",))
    tree = tmp_path / "tree"
    if not is_new:
        submit([first], tree)
    before = content(tree)
    left, replace = [moves], Path.replace

    def move(source: Path, target: Path) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", move)
        submit([second], tree)
    assert content(tree) == before
    (tmp_path / ".tree.k1ll3d_0.part/new").mkdir(parents=True)  # what kill -9 leaves
    submit([second], tree)
    assert is_new or errors(tree) == []
    assert not list(tmp_path.glob(".*"))


def test_a_tree_that_is_added_to_stays_the_folder_in_which_somebody_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    submit([run_folder.write(tmp_path / "one", scenarios=("Offline",))], tree)
    monkeypatch.chdir(tree)
    submit([run_folder.write(tmp_path / "two", scenarios=("Server",))], tree)
    assert errors(Path.cwd()) == []


def test_a_tree_is_added_to_where_the_system_cannot_swap_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.ground.folders._exchange", lambda first, second: False)
    for name, scenario in (("one", "Offline"), ("two", "Server")):
        submit([run_folder.write(tmp_path / name, scenarios=(scenario,))], tmp_path / "tree")
    assert errors(tmp_path / "tree") == []
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", "../../evil", "a/b", "/tmp/evil", "a\\b", "a\nb", "\x1b[2J", "x" * 300]
)
@pytest.mark.parametrize("field", ["submitter", "system_name"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str, field: str) -> None:
    run = run_folder.write(tmp_path / "run")
    if field == "system_name" and not name:
        return  # no name asked for: the probed one
    before = sorted(tmp_path.rglob("*"))
    names = {"submitter": "Tester", "system_name": "box", field: name}
    with pytest.raises(ConfigError):
        submit([run], tmp_path / "tree", **names)
    assert sorted(tmp_path.rglob("*")) == before


def test_two_runs_of_one_scenario_and_mode_are_refused(tmp_path: Path) -> None:
    runs = [run_folder.write(tmp_path / name) for name in ("a", "b")]
    with pytest.raises(ConfigError, match="both hold Offline performance"):
        submit(runs, tmp_path / "tree")


def test_a_fake_run_is_refused_unless_allowed_and_then_marked(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run", is_fake=True)
    with pytest.raises(ConfigError, match="FAKE"):
        submit([run], tmp_path / "tree")
    submit([run], tmp_path / "tree", allow_fake=True)
    marked = list((tmp_path / "tree").rglob("Offline/README.md"))
    assert len(marked) == 1
    assert marked[0].read_text().startswith("**FAKE RUN")
    assert {line.split()[1] for line in errors(tmp_path / "tree")} == {"X12"}


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run", status=Status.INTERRUPTED)
    with pytest.raises(ConfigError, match="INTERRUPTED"):
        submit([run], tmp_path / "tree")


def test_a_folder_without_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no result\.json"):
        submit([tmp_path], tmp_path / "tree")


def test_a_workload_of_our_own_goes_to_open_with_its_mapping_and_not_to_closed(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run", workload="mixtral-nano")
    with pytest.raises(ConfigError, match="no rules for mixtral-nano"):
        submit([run], tmp_path / "tree")
    submit([run], tmp_path / "tree", division="open")
    mapping = json.loads((tmp_path / "tree/open/Tester/model_mapping.json").read_text())
    assert mapping == {"mixtral-nano": "mixtral-8x7b"}
    assert errors(tmp_path / "tree") == []


def test_unknown_fields_are_listed_and_left_empty_never_invented(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run")
    record = json.loads((run / "result.json").read_text())
    del record["system"]["cooling"], record["system"]["status"]
    (run / "result.json").write_text(json.dumps(record))
    written = submit([run], tmp_path / "tree", system_name="box")
    assert written.unknown == {"box": ("status", "cooling")}
    found = errors(tmp_path / "tree")
    assert [line.split()[1] for line in found] == ["S2", "S2"]


def test_system_toml_goes_before_what_was_probed(tmp_path: Path) -> None:
    said = tmp_path / "system.toml"
    said.write_text('cooling = "water"\n[box]\nstatus = "preview"\n[other]\nstatus = "rdi"\n')
    submit([run_folder.write(tmp_path / "run")], tmp_path / "tree", system_name="box", system_file=said)
    fields = json.loads((tmp_path / "tree/closed/Tester/systems/box.json").read_text())
    assert (fields["cooling"], fields["status"], fields["accelerators_per_node"]) == ("water", "preview", "0")


def test_a_misspelt_field_of_system_toml_is_refused_with_the_nearest(tmp_path: Path) -> None:
    said = tmp_path / "system.toml"
    said.write_text('colling = "water"\n')
    with pytest.raises(ConfigError) as caught:
        submit([run_folder.write(tmp_path / "run")], tmp_path / "tree", system_file=said)
    assert caught.value.hint == "did you mean cooling?"


def test_a_refusal_in_the_middle_leaves_no_tree(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "in" / "run")
    with pytest.raises(ConfigError):
        submit([run], tmp_path / "in" / "tree", system_file=tmp_path / "missing.toml")
    assert [p.name for p in (tmp_path / "in").iterdir()] == ["run"]


@pytest.mark.parametrize("text", ["[1, 2]", "null", '"a"', "{"])
def test_a_system_file_of_the_tree_that_is_no_object_is_named_and_kept(tmp_path: Path, text: str) -> None:
    submit([run_folder.write(tmp_path / "one", scenarios=("Offline",))], tmp_path / "tree")
    (file,) = (tmp_path / "tree").rglob("systems/*.json")
    file.write_text(text)
    with pytest.raises(ConfigError, match=file.name):
        submit([run_folder.write(tmp_path / "two", scenarios=("Server",))], tmp_path / "tree")
    assert file.read_text() == text


def test_the_run_folder_keeps_its_whole_accuracy_log(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run")
    original = (run / "Offline/accuracy/mlperf_log_accuracy.json").read_bytes()
    submit([run], tmp_path / "tree")
    assert (run / "Offline/accuracy/mlperf_log_accuracy.json").read_bytes() == original
    assert "hash=" not in (run / "Offline/accuracy/accuracy.txt").read_text()


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('"value": 20.0, "unit": "samples/s"', '"value": 99.0, "unit": "samples/s"', "samples_per_s"),
        ('"metric": "gsm8k", "value": 73.7', '"metric": "gsm8k", "value": 93.7', "gsm8k"),
        ('"validity": "VALID"', '"validity": "INVALID"', "validity"),
    ],
)
def test_an_edited_record_is_refused_by_the_name_of_its_figure(
    tmp_path: Path, before: str, after: str, named: str
) -> None:
    run = run_folder.write(tmp_path / "run")
    text = json.dumps(json.loads((run / "result.json").read_text()))
    assert before in text
    (run / "result.json").write_text(text.replace(before, after))
    with pytest.raises(ArtifactError, match=rf"result\.json says .* for {named}, its log"):
        write([run], TreeRequest("T", "open", rounds.load("v5.1"), lambda r, s: "# x\n"), tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


def test_an_edited_or_missing_log_is_refused(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run")
    log = run / "Offline/performance/run_1/mlperf_log_detail.txt"
    log.write_text(log.read_text() + "\n")
    request = TreeRequest("T", "open", rounds.load("v5.1"), lambda r, s: "# x\n")
    with pytest.raises(ArtifactError, match="SHA-256 differs"):
        write([run], request, tmp_path / "tree")
    log.unlink()
    with pytest.raises(ArtifactError, match="is gone"):
        write([run], request, tmp_path / "tree")
