"""What native scripts print: it arrives as it would without the runner, and a failure names a log that holds it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.recipes.contract import script_output
from assay.recipes.contract.script_output import KEPT_BYTES, LOGS_MAX, write_log
from assay.recipes.errors import RecipeFailed, RecipeNotFound

from .conftest import Kit

LINE = [sys.executable, "-m", "assay", "run", "script", "--user_python"]
SEVERAL = "for i in $(seq 50); do echo out$i; echo err$i >&2; done\n"
IN_ORDER = [f"{stream}{number}" for number in range(1, 51) for stream in ("out", "err")]


def start(kit: Kit, tags: str, *flags: str, **streams: Any) -> subprocess.Popen[bytes]:
    environ = os.environ | {"CM_REPOS": str(kit.home.root), "ASSAY_BUILTIN": "0", "TERM": "dumb"}
    return subprocess.Popen([*LINE, f"--tags={tags}", *flags], env=environ, **streams)


def captured(kit: Kit, tags: str, *flags: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    process = start(
        kit, tags, *flags, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), err.decode()


def logs(kit: Kit) -> list[Path]:
    return sorted((kit.home.work / "logs").glob("*"))


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Terminal:
    """A user at a terminal of 40 lines and 123 columns."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        self.resize(40, 123)
        self.seen = ""

    def resize(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))

    def start(self, kit: Kit, tags: str, *, foreground: bool = True) -> subprocess.Popen[bytes]:
        """In the foreground, Ctrl-C and new sizes are signals to the run; its end is the end of the terminal, too."""
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self.slave)
        take = self._take if foreground else None
        return start(kit, tags, **streams, start_new_session=True, preexec_fn=take)

    def _take(self) -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def read_until(self, text: str) -> None:
        while text not in self.seen:
            self.seen += os.read(self.master, 65536).decode()

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())


# ---------------------------------------------------------------------- the log of a failure


def test_a_failed_script_names_step_recipe_and_a_log_that_holds_both_streams(kit: Kit) -> None:
    folder = kit.recipe("bad", run=SEVERAL + "exit 3\n")
    code, out, err = captured(kit, "bad")
    assert code == 2
    assert (
        out.split() == IN_ORDER[::2] and [line for line in err.split() if line in IN_ORDER] == IN_ORDER[1::2]
    )
    named = dict(re.findall(r"^  (step|recipe|log): (.*)$", err, re.MULTILINE))
    assert named["step"] == f"{folder / 'run.sh'}, run in {Path.cwd()}"
    assert named["recipe"] == "bad,0000000000000001"
    head, empty, *lines = Path(named["log"]).read_text().splitlines()
    assert head == f"{folder / 'run.sh'}, run in {Path.cwd()}: exit 3" and not empty
    assert sorted(lines) == sorted(IN_ORDER)


def test_the_recipe_below_that_failed_is_named_and_where_its_pieces_are(kit: Kit) -> None:
    kit.recipe("low", cache=True, run="echo last words; exit 1\n")
    kit.recipe("high", deps=[{"tags": "low"}])
    with pytest.raises(RecipeFailed) as caught:
        kit.run("high")
    assert caught.value.recipe == "low,0000000000000001"
    assert caught.value.log and caught.value.log.read_text().endswith("\n\nlast words\n")
    assert f"left: {kit.home.work / 'failed' / 'low'}" in str(caught.value)


def test_a_result_in_json_carries_the_log(kit: Kit) -> None:
    kit.recipe("bad", run="exit 3\n")
    code, out, _err = captured(kit, "bad", "--out=json")
    answer = json.loads(out)
    assert code == answer["return"] == 2 and answer.keys() == {"return", "error", "log"}
    assert Path(answer["log"]).read_text().endswith(": exit 3\n\n")


def test_a_hook_that_raises_has_its_traceback_in_the_log(kit: Kit) -> None:
    kit.recipe("odd", hooks="def deep():\n    return {}['x']\n\ndef preprocess(i):\n    return deep()\n")
    with pytest.raises(RecipeFailed) as caught:
        kit.run("odd")
    assert caught.value.step.startswith("preprocess in ") and caught.value.recipe.startswith("odd,")
    assert caught.value.log and "return {}['x']" in caught.value.log.read_text()


def test_a_hook_that_raises_with_half_a_character_has_its_traceback_in_the_log(kit: Kit) -> None:
    kit.recipe("odd", hooks="def preprocess(i):\n    raise ValueError('half ' + chr(0xD800))\n")
    with pytest.raises(RecipeFailed) as caught:
        kit.run("odd")
    assert caught.value.log and r"half \ud800" in caught.value.log.read_text()


HANDED_ON = """def preprocess(i):
    r = i['automation'].run_native_script({'run_script_input': i['run_script_input'], 'env': i['env'],
                                           'script_name': 'other'})
    return r
"""


def test_a_hook_that_hands_on_the_failure_of_a_script_hands_on_its_log(kit: Kit) -> None:
    folder = kit.recipe("tries", hooks=HANDED_ON)
    (folder / "other.sh").write_text("echo of the other script\nexit 5\n")
    with pytest.raises(RecipeFailed) as caught:
        kit.run("tries")
    assert caught.value.step.startswith("preprocess in ")
    assert caught.value.log and "of the other script" in caught.value.log.read_text()


JSON = """import json
def preprocess(i):
    r = i['automation'].cmind.access({'action': 'run', 'automation': 'script', 'tags': 'bad', 'user_python': True})
    r = json.loads(json.dumps(r)) if i['env'].get('CM_COPY') == 'yes' else r
    assert sorted(r) == ['error', 'return']
    return r
"""


@pytest.mark.parametrize("copy", ["yes", "no"])
def test_a_hook_gets_a_failure_as_plain_members(kit: Kit, copy: str) -> None:
    kit.recipe("bad", run="echo of bad; exit 5\n")
    kit.recipe("tries", hooks=JSON, env={"CM_COPY": copy})
    with pytest.raises(RecipeFailed, match="exit 5") as caught:
        kit.run("tries")
    assert bool(caught.value.log) == (copy == "no")


def test_a_success_leaves_no_log_also_after_a_failure_that_is_allowed(kit: Kit) -> None:
    hooks = HANDED_ON.replace("return r", "return {'return': 0}")
    folder = kit.recipe(
        "tries", hooks=hooks, run="echo fine\n", deps=[{"tags": "may", "continue_on_error": True}]
    )
    (folder / "other.sh").write_text("exit 5\n")
    kit.recipe("may", run="exit 1\n")
    before = {path.name for path in Path("/proc/self/fd").iterdir()}
    kit.run("tries")
    assert not (kit.home.work / "logs").exists()
    assert {path.name for path in Path("/proc/self/fd").iterdir()} == before


def test_a_log_holds_the_end_of_much_output(kit: Kit) -> None:
    kit.recipe("much", run=f"head -c {3 * KEPT_BYTES} /dev/zero | tr '\\0' x; echo the end; exit 1\n")
    captured(kit, "much")
    [log] = logs(kit)
    note, rest = log.read_bytes().split(b"\n\n", 1)[1].split(b"\n", 1)
    assert note == f"[the first {2 * KEPT_BYTES + len('the end.')} bytes are left out]".encode()
    assert len(rest) == KEPT_BYTES and rest.endswith(b"xthe end\n")


def test_only_the_newest_logs_are_kept(tmp_path: Path) -> None:
    written = [write_log(tmp_path / "logs", f"{number:02}", b"x") for number in range(LOGS_MAX + 5)]
    assert sorted((tmp_path / "logs").iterdir()) == written[5:]


def test_logs_are_pruned_with_the_pieces_of_failed_runs_and_are_no_part_of_the_cache(kit: Kit) -> None:
    kit.recipe("bad", run="exit 1\n")
    with pytest.raises(RecipeFailed):
        kit.run("bad")
    with pytest.raises(RecipeNotFound):
        kit.perform(["rm", "cache", "-f"])
    assert len(logs(kit)) == 1
    kit.perform(["prune", "cache"])
    assert logs(kit) == []


def test_a_log_that_cannot_be_written_is_told_and_the_failure_stays_what_it_is(kit: Kit) -> None:
    kit.recipe("bad", run="exit 3\n")
    kit.home.work.mkdir(parents=True, exist_ok=True)
    (kit.home.work / "logs").write_text("in the way")
    with pytest.raises(RecipeFailed, match="exit 3") as caught:
        kit.run("bad")
    assert caught.value.log is None
    assert any("no log" in line and str(kit.home.work / "logs") in line for line in kit.console.noted)


# ---------------------------------------------------------------------- on the way to the terminal or file


def test_stdout_and_stderr_that_go_to_one_file_keep_their_order(kit: Kit, tmp_path: Path) -> None:
    kit.recipe("talks", run=SEVERAL)
    with (tmp_path / "both").open("wb") as file:
        assert start(kit, "talks", stdout=file, stderr=subprocess.STDOUT).wait(60) == 0
    words = (tmp_path / "both").read_text().split()
    assert [word for word in words if word in IN_ORDER] == IN_ORDER


SIZE = f"{sys.executable} -c \"import os; print('size', *os.get_terminal_size(1))\"\n"


def test_at_a_terminal_a_script_sees_one_asks_and_is_answered(kit: Kit) -> None:
    kit.recipe(
        "asks",
        run="[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo a terminal\n"
        + SIZE
        + "read -p 'name? ' name\necho hello $name\n"
        + SIZE
        + "read -p 'once more? ' -s\nexit 3\n",
    )
    user = Terminal()
    process = user.start(kit, "asks")
    user.read_until("name? ")  # it is shown before anything is typed
    assert "a terminal" in user.seen and "size 123 40" in user.seen
    user.resize(30, 99)
    user.type("me\n")
    user.read_until("once more? ")
    assert "hello me\r\nsize 99 30\r\n" in user.seen
    user.type("x\n")
    assert process.wait(30) == 2
    assert "hello me\nsize" in logs(kit)[0].read_text()


def test_ctrl_c_at_a_terminal_ends_script_and_run(kit: Kit) -> None:
    kit.recipe("slow", cache=True, run="sleep 60 & echo child $!; wait\n")
    user = Terminal()
    process = user.start(kit, "slow")
    user.read_until("child ")
    user.read_until("\n")
    user.type("\x03")
    assert process.wait(30) == 130
    user.read_until("interrupted")
    assert list(kit.home.cache.glob("*")) == [] and logs(kit) == []


KEYS = """import os, termios, tty
modes = termios.tcgetattr({switched})
tty.setcbreak({switched})
os.write(1, b"press: ")
key = os.read({read}, 1)
tty.setraw({switched})
os.write(1, b"once more: ")
key += os.read({read}, 1)
termios.tcsetattr({switched}, termios.TCSADRAIN, modes)
print(key)
"""


@pytest.mark.parametrize("switched, read", [(2, 2), (1, 0), (0, 0)], ids=["pager", "form", "line editor"])
def test_a_program_that_waits_for_single_keys_gets_them(
    kit: Kit, tmp_path: Path, switched: int, read: int
) -> None:
    (tmp_path / "keys.py").write_text(KEYS.format(switched=switched, read=read))
    kit.recipe(
        "keys", run=f"{sys.executable} {tmp_path / 'keys.py'}\nread -p 'line: ' line; echo got $line\n"
    )
    user = Terminal()
    before = termios.tcgetattr(user.slave)
    process = user.start(kit, "keys")
    user.read_until("press: ")
    user.type("a")
    user.read_until("once more: ")
    until(lambda: not termios.tcgetattr(user.slave)[3] & termios.ISIG)  # Ctrl-C is a key like others now
    user.type("\x03")
    user.read_until("b'a\\x03'")
    user.read_until("line: ")
    until(lambda: termios.tcgetattr(user.slave) == before)
    user.type("word\n")
    assert process.wait(30) == 0
    user.read_until("got word")


def test_without_a_terminal_a_script_sees_none(kit: Kit) -> None:
    kit.recipe("looks", run="[ -t 1 ] || [ -t 2 ] || echo no terminal\n")
    assert captured(kit, "looks")[1] == "no terminal\n"


LEAVES = """(until [ -e {go} ]; do sleep 0.02; done; echo late; echo too >&2; touch {done}) &
echo early
"""


@pytest.mark.parametrize("status", [0, 1])
def test_what_a_script_leaves_running_is_not_waited_for_and_prints_on(
    kit: Kit, tmp_path: Path, status: int
) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    kit.recipe("leaves", run=LEAVES.format(go=go, done=done) + f"exit {status}\n")
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        assert start(kit, "leaves", stdout=out, stderr=err).wait(60) == 2 * status
    assert (tmp_path / "out").read_text() == "early\n"
    go.touch()
    until(done.exists)
    until(lambda: (tmp_path / "out").read_text() == "early\nlate\n")
    until(lambda: (tmp_path / "err").read_text().endswith("too\n"))


def test_what_a_script_leaves_running_at_a_terminal_prints_on_too(kit: Kit, tmp_path: Path) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    kit.recipe("leaves", run=LEAVES.format(go=go, done=done))
    user = Terminal()
    assert user.start(kit, "leaves", foreground=False).wait(60) == 0
    go.touch()
    user.read_until("late\r\ntoo\r\n")
    until(done.exists)


def test_without_cat_a_script_that_leaves_a_program_running_ends_as_it_ends(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(script_output.os, "posix_spawnp", none)
    kit.recipe("leaves", run="sleep 5 &\n")
    kit.run("leaves")
    assert any("starting cat failed" in line for line in kit.console.noted)


def test_a_left_program_that_never_stops_printing_does_not_hold_the_run(kit: Kit, tmp_path: Path) -> None:
    kit.recipe("noisy", run=f"yes & echo $! > {tmp_path / 'pid'}\n")
    process = start(kit, "noisy", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert process.wait(60) == 0
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_script_whose_reader_has_left_ends(kit: Kit) -> None:
    kit.recipe("noisy", run="yes\n")
    process = start(kit, "noisy", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 2
    assert "killed by SIGPIPE" in logs(kit)[0].read_text().splitlines()[0]


def test_output_that_cannot_be_passed_on_is_told_when_the_script_succeeds_too(kit: Kit) -> None:
    kit.recipe("fine", run="echo hello\n")
    with Path("/dev/full").open("wb") as full:
        process = start(kit, "fine", stdout=full, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=60)
    assert "run.sh: passing it on failed: No space left on device" in err.decode()


def test_a_signal_ends_a_run_whose_reader_has_stopped_reading(kit: Kit) -> None:
    kit.recipe("noisy", run="yes\n")
    process = start(kit, "noisy", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout
    until(lambda: struct.unpack("i", fcntl.ioctl(process.stdout, termios.FIONREAD, bytes(4)))[0] >= 65536)
    process.terminate()
    try:
        assert process.wait(20) == 130
    finally:
        process.stdout.close()


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_a_stream_that_is_closed_is_as_dev_null(kit: Kit, closed: tuple[int, ...]) -> None:
    kit.recipe("talks", cache=True, run="echo to stdout; echo to stderr >&2; cat; exit 3\n")

    def close() -> None:
        for number in closed:
            os.close(number)

    assert start(kit, "talks", stdin=subprocess.DEVNULL, preexec_fn=close).wait(60) == 2
    assert logs(kit)[0].read_text().endswith("to stdout\nto stderr\n")


def test_what_a_script_prints_while_it_is_ended_does_not_hold_it(kit: Kit, tmp_path: Path) -> None:
    """More than a pipe holds: somebody must still read it."""
    run = f"trap 'head -c 300000 /dev/zero; exit 1' TERM\ntouch {tmp_path / 'on'}\nwhile :; do sleep 0.05; done\n"
    kit.recipe("slow", run=run)
    process = start(kit, "slow", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until((tmp_path / "on").exists)
    process.terminate()
    assert process.wait(60) == 130
    assert logs(kit) == []


def test_a_script_that_closes_its_output_is_still_waited_for(kit: Kit) -> None:
    kit.recipe("quiet", run="exec > /dev/null 2>&1\nsleep 0.3\ntouch finished\n")
    kit.run("quiet")
    assert Path("finished").exists()


def test_without_another_terminal_the_script_has_ours_and_the_failure_says_so(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left() -> tuple[int, int]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(script_output.os, "isatty", lambda _fd: True)
    monkeypatch.setattr(script_output.os, "openpty", none_left)
    kit.recipe("bad", run="exit 3\n")
    with pytest.raises(RecipeFailed) as caught:
        kit.run("bad")
    assert caught.value.log and "No space left" in caught.value.log.read_text()
