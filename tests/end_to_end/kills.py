"""Kills commands at random moments and looks at what is left: `python -m tests.end_to_end.kills [KILLS] [SEED] [VERB]`.

After each kill: no process of the command lives on; nothing half made is taken for whole; the same command then works
without help; and no temporary file of ours is left after it. Everything happens below one temporary folder.
"""

from __future__ import annotations

import collections
import filecmp
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from assay.ground.errors import ArtifactError
from assay.mlperf.logs.accuracy import read_accuracy
from assay.mlperf.record import result
from tests.end_to_end import rows
from tests.ground import flaky_server

MARK = "ASSAY_KILL_TEST"
GONE_SECONDS = 5.0
"""How long the processes of a killed command may take to end."""
WHOLE = 20_000_000
"""Bytes of the downloaded file."""
MANY, PACE = 120, 40.0
"""Rows of the accuracy run that is resumed, and its answers/s."""
RECIPE = (
    "alias: slow-hello\nuid: 0123456789abcdef\nautomation_alias: script\ncache: true\ntags: [slow, hello]\n"
)


@dataclass(frozen=True)
class World:
    """One command's surroundings, fresh for each kill; `base` is shared and only read."""

    base: Path
    root: Path
    address: str = ""

    @property
    def cwd(self) -> Path:
        return self.root / "cwd"

    def environ(self) -> dict[str, str]:
        own = {"TMPDIR": "tmp", "HOME": "home", "CM_REPOS": "CM"}
        return {
            **os.environ,
            **{name: str(self.root / folder) for name, folder in own.items()},
            "ASSAY_HOME": str(self.base / "store"),
            MARK: str(self.root),
        }

    def make(self) -> None:
        for name in ("cwd", "tmp", "home"):
            (self.root / name).mkdir(parents=True)

    def start(self, words: list[str]) -> subprocess.Popen[bytes]:
        log = (self.root / "log").open("ab")
        command = [sys.executable, "-m", "assay", *words]
        return subprocess.Popen(command, cwd=self.cwd, env=self.environ(), stdout=log, stderr=log)

    def processes(self) -> list[int]:
        """Processes that were started in this world, by the mark in their environment."""
        mark = f"{MARK}={self.root}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):  # ended meanwhile
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found

    def litter(self) -> Iterator[str]:
        """What only an unfinished piece of work leaves; the folder of a killed run stays as it is, for the user."""
        for place in (self.root, self.base / "store"):
            for path in place.rglob("*"):
                is_part = path.suffix == ".part" and self.cwd / "assay-runs" not in path.parents
                is_ours = is_part or self.root / "tmp" in path.parents
                if is_ours and not (path.is_dir() and any(path.iterdir())):
                    yield str(path.relative_to(place))


@dataclass(frozen=True)
class Case:
    """A command and how its product is judged."""

    words: Callable[[World], list[str]]
    is_whole: Callable[[World], bool] = lambda world: True
    """Whether the product is there and complete; asked after the run that follows the kill. A run that is resumed must
    also be as one that nobody killed."""
    half: Callable[[World], str] = lambda world: ""
    """What is there and says of itself that it is whole, and is not; asked right after the kill."""
    prepare: Callable[[World], None] = lambda world: None
    again: Callable[[World], list[str]] | None = None
    """The command that follows the kill; None = the same."""
    is_refused: Callable[[World], bool] = lambda world: False
    """Whether the same command may be refused, as its product is there already."""


@dataclass
class Tally:
    kills: int = 0
    in_time: int = 0
    """Kills that came before the command had ended by itself."""
    faults: list[str] = field(default_factory=list)


def bench(world: World) -> list[str]:
    data = ["--checkpoint", str(world.base / "words"), "--dataset", str(world.base / "rows.jsonl")]
    return ["bench", "mixtral-8x7b", "--sut", "echo", *data]


def half_bench(world: World) -> str:
    """A run that says COMPLETE must hold every run; any other must not be submitted."""
    for folder in world.cwd.glob("assay-runs/*"):
        try:
            made = result.read(folder)
        except ArtifactError:
            continue  # no record, and nobody takes it for one
        if made.status == result.Status.RUNNING or (
            made.status == result.Status.COMPLETE and len(made.runs) != 2
        ):
            return f"{folder.name} says {made.status} with {len(made.runs)} runs"
    return ""


def half_accuracy(world: World) -> str:
    return "it says COMPLETE" if is_complete(world.cwd / "run") and not same_answers(world) else ""


def whole_bench(world: World) -> bool:
    return any(
        (folder / "README.md").exists() and is_complete(folder) for folder in world.cwd.glob("assay-runs/*")
    )


def is_complete(folder: Path) -> bool:
    try:
        return result.read(folder).status == result.Status.COMPLETE
    except ArtifactError:
        return False


def slow_accuracy(world: World) -> list[str]:
    """Many answers that come one after the other, so that a kill falls among them."""
    data = ["--tokenizer", str(world.base / "words"), "--dataset", str(world.base / "many.jsonl")]
    words = ["bench", "mixtral-8x7b", "--sut", "echo", "--pace", str(PACE), "--mode", "accuracy"]
    return [*words, "--style", "fast", *data, "--out", str(world.cwd / "run")]


def resume(world: World) -> list[str]:
    """A run that never began is started."""
    run_folder = world.cwd / "run"
    has_begun = (run_folder / "config.json").exists()
    return ["bench", "--resume", str(run_folder)] if has_begun else slow_accuracy(world)


def answers_of(folder: Path) -> dict[int, tuple[int, ...]]:
    entries = list(read_accuracy(folder / "Offline/accuracy/mlperf_log_accuracy.json"))
    found = {entry.qsl_idx: tuple(entry.token_ids.tolist()) for entry in entries}
    return found if len(found) == len(entries) else {}


def same_answers(world: World) -> bool:
    """Each answer once, and the scores, as of the run that nobody killed."""
    folders = (world.cwd / "run", world.base / "accuracy-run")
    made = [result.read(folder).runs[0] for folder in folders]
    scores = [[(score.metric, score.value, score.n) for score in run.scores] for run in made]
    return scores[0] == scores[1] and answers_of(folders[0]) == answers_of(folders[1]) != {}


def score(world: World) -> list[str]:
    log = world.base / "run/Offline/accuracy/mlperf_log_accuracy.json"
    files = ["--dataset", str(world.base / "rows.jsonl"), "--tokenizer", str(world.base / "words")]
    return ["score", "--log", str(log), *files, "--accuracy-txt", "accuracy.txt"]


def same_text(world: World) -> bool:
    return filecmp.cmp(world.cwd / "accuracy.txt", world.base / "accuracy.txt", shallow=False)


def half_text(world: World) -> str:
    is_there = (world.cwd / "accuracy.txt").exists()
    return "accuracy.txt is cut short" if is_there and not same_text(world) else ""


def submit(world: World) -> list[str]:
    return ["submit", str(world.base / "run"), "--submitter", "me", "--out", "tree", "--allow-fake"]


def files_of(tree: Path) -> set[str]:
    return {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}


def same_tree(world: World) -> bool:
    return (
        files_of(world.cwd / "tree") == files_of(world.base / "tree") and (world.cwd / "tree.tar.gz").exists()
    )


def half_tree(world: World) -> str:
    """A tree that is there must be the whole tree."""
    found = files_of(world.cwd / "tree")
    return f"{len(found)} files of the tree" if found and found != files_of(world.base / "tree") else ""


def pull(world: World) -> list[str]:
    return ["pull", "repo", str(world.base / "recipes")]


def whole_pull(world: World) -> bool:
    code = world.start(["find", "script", "--tags=slow,hello"]).wait()
    return code == 0 and "slow-hello" in (world.root / "log").read_text()


def run(world: World) -> list[str]:
    return ["run", "script", "--tags=slow,hello", "--quiet"]


def pulled(world: World) -> None:
    assert world.start(pull(world)).wait() == 0


def half_run(world: World) -> str:
    """A cached entry that counts must have what it promises."""
    for state in world.root.glob("CM/**/cm-cached-state.json"):
        if not (state.parent / "big").exists() or (state.parent / "big").stat().st_size != 200_000:
            return f"{state.parent.name} counts and is not whole"
    return ""


def download(world: World) -> list[str]:
    return ["download-file", "utils", f"--url={world.address}", "--filename=big.bin"]


def half_download(world: World) -> str:
    path = world.cwd / "big.bin"
    return (
        f"big.bin has {path.stat().st_size} bytes" if path.exists() and path.stat().st_size != WHOLE else ""
    )


CASES = {
    "bench": Case(bench, whole_bench, half_bench),
    "resume": Case(slow_accuracy, same_answers, half_accuracy, again=resume),
    "score": Case(score, same_text, half_text),
    "submit": Case(submit, same_tree, half_tree, is_refused=lambda world: not half_tree(world)),
    "plan": Case(lambda world: ["plan", *bench(world)[1:]]),
    "pull": Case(pull, whole_pull),
    "run": Case(run, lambda world: not half_run(world), half_run, prepare=pulled),
    "download": Case(download, lambda world: not half_download(world), half_download),
}
WEIGHTS = {"bench": 6, "resume": 4, "score": 4, "submit": 4, "plan": 2, "pull": 2, "run": 1, "download": 1}


def make_base(base: Path, store: Path | None) -> None:
    """What the commands start from: rows, a tokenizer, a finished run, its tree and score, a repository of recipes."""
    if store is not None:
        shutil.copytree(store, base / "store")
    rows.write(base / "rows.jsonl", rows.tokenizer(base / "words"))
    world = World(base, base / "made")
    world.make()
    for words in ([*bench(world), "--out", str(base / "run")], submit(world), score(world)):
        assert end_of(world, words) == 0, (world.root / "log").read_text()
    rows.write_many(base / "many.jsonl", base / "words", MANY)
    assert world.start(slow_accuracy(world)).wait() == 0, (world.root / "log").read_text()
    shutil.move(world.cwd / "run", base / "accuracy-run")
    shutil.move(world.cwd / "tree", base / "tree")
    shutil.move(world.cwd / "accuracy.txt", base / "accuracy.txt")
    script = base / "recipes/script/slow-hello"
    script.mkdir(parents=True)
    (base / "recipes/cmr.yaml").write_text("alias: recipes\nuid: 00112233445566ff\ngit: true\n")
    (script / "_cm.yaml").write_text(RECIPE)
    (script / "run.sh").write_text("sleep 0.3\nhead -c 200000 /dev/zero > big\nsleep 0.3\n")
    git = ["git", "-c", "user.name=me", "-c", "user.email=me@example.com", "-C", str(base / "recipes")]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "recipes"]):
        subprocess.run([*git, *words], check=True)


def once(case: Case, world: World, after_s: float, tally: Tally) -> None:
    """One kill, `after_s` seconds after the start, and the run that follows it."""
    world.make()
    case.prepare(world)
    process = world.start(case.words(world))
    time.sleep(after_s)
    tally.kills += 1
    tally.in_time += process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + GONE_SECONDS
    while (left := world.processes()) and time.monotonic() < deadline:
        time.sleep(0.05)
    found = [f"{len(left)} processes are left: {[name_of(pid) for pid in left]}"] if left else []
    if half := case.half(world):
        found.append(f"half made: {half}")
    may_refuse = case.is_refused(world)
    code = end_of(world, (case.again or case.words)(world))
    if code and not (may_refuse and code == 2):
        found.append(f"the next run ended with {code}: {(world.root / 'log').read_text()[-300:]}")
    elif not code and not case.is_whole(world):
        found.append("the next run made something else")
    if litter := list(world.litter()):
        found.append(f"left after the next run: {litter[:4]}")
    tally.faults += [f"killed after {after_s:.2f} s: {fault}" for fault in found]
    if not found:
        shutil.rmtree(world.root)


def end_of(world: World, words: list[str]) -> int:
    """The exit code; 0 for a submit that found errors in its tree, as in one of five samples it must."""
    code = world.start(words).wait()
    return 0 if words[0] == "submit" and code == 1 else code


def name_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:120]
    return "ended"


def measure(case: Case, world: World) -> float:
    """Seconds of an undisturbed run."""
    world.make()
    case.prepare(world)
    start = time.monotonic()
    assert end_of(world, case.words(world)) == 0, (world.root / "log").read_text()
    return time.monotonic() - start


def kill_all(
    kills: int, seed: int, folder: Path, store: Path | None = None, only: str = ""
) -> dict[str, Tally]:
    """So many kills, shared out by WEIGHTS, at moments from the start to just past the end of each command.

    `only`: all of them of this command.
    """
    random_ = random.Random(seed)
    base = folder / "base"
    base.mkdir()
    make_base(base, store)
    tallies: dict[str, Tally] = collections.defaultdict(Tally)
    with flaky_server.serving(bytes(WHOLE)) as server:
        for name, case in CASES.items():
            count = max(1, round(kills * WEIGHTS[name] / sum(WEIGHTS.values())))
            if only:
                count = kills if name == only else 0
            if not count:
                continue
            seconds = measure(case, World(base, folder / f"{name}-whole", server.url()))
            for number in range(count):
                world = World(base, folder / f"{name}-{number}", server.url())
                once(case, world, random_.uniform(0, 1.05 * seconds), tallies[name])
            tally = tallies[name]
            print(
                f"{name:<9} {tally.kills:>3} kills, {tally.in_time:>3} in time, {len(tally.faults)} faults",
                flush=True,
            )
            for fault in tally.faults:
                print(f"    {fault}", flush=True)
    return tallies


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    given = os.environ.get("ASSAY_TEST_STORE")
    with tempfile.TemporaryDirectory(prefix="kills-", ignore_cleanup_errors=True) as name:
        only = sys.argv[3] if len(sys.argv) > 3 else ""
        tallies = kill_all(kills, seed, Path(name), Path(given) if given else None, only)
    total = sum(tally.kills for tally in tallies.values())
    faults = sum(len(tally.faults) for tally in tallies.values())
    print(f"{total} kills, {sum(t.in_time for t in tallies.values())} in time, {faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
