"""Hostile programs: each is contained, the next program is unaffected, nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assay.ground.errors import EnvironmentProblem
from assay.sandbox import cpu_time
from assay.sandbox import sandbox as sandboxes
from assay.sandbox.isolation import Bubblewrap, NoIsolation, Unshare
from assay.sandbox.sandbox import ProgramLimits, ProgramOutcome, Sandbox

PYTHON = ("/usr/bin/python3", "-I", "-S", "t.py")
LIMITS = ProgramLimits(
    wall_s=20.0, memory_bytes=512 << 20, file_bytes=1 << 20, tmp_bytes=8 << 20, processes=32
)

pytestmark = pytest.mark.skipif(
    not Path("/usr/bin/python3").exists(), reason="the hostile programs need /usr/bin/python3"
)


@pytest.fixture(params=[Bubblewrap, Unshare], ids=lambda wall: wall.name)
def box(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    for other in {Bubblewrap, Unshare} - {request.param}:
        monkeypatch.setattr(other, "missing", lambda self: ["the tool"])
    try:
        with sandboxes.opened(2, LIMITS) as box:
            yield box
    except EnvironmentProblem as problem:
        pytest.skip(problem.message)


def python(box: Sandbox, source: str, wall_s: float = LIMITS.wall_s) -> ProgramOutcome:
    return box.run(PYTHON, "t.py", source.encode(), limits=replace(LIMITS, wall_s=wall_s))


def assert_unaffected(box: Sandbox) -> None:
    outcome = python(box, "import os\nif os.fork() == 0: os._exit(0)\nos.wait()\nprint('well')")
    assert (outcome.status, outcome.output) == (0, "well\n")


def running(mark: str) -> list[str]:
    """Command lines on this machine that hold `mark`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_text()
        except OSError:
            continue
        if mark in line and (folder / "status").exists():
            found.append(line)
    return found


def assert_gone(mark: str) -> None:
    """The kernel reaps a killed namespace a moment after its first process."""
    for _ in range(200):
        if not running(mark):
            return
        time.sleep(0.02)
    raise AssertionError(f"still running: {running(mark)}")


def test_a_fork_bomb_runs_into_the_process_limit(box: Sandbox) -> None:
    outcome = python(
        box,
        "import os, time\nn = 0\nwhile True:\n  try:\n    if os.fork() == 0: time.sleep(60)\n    n += 1\n"
        "  except OSError: print(n); break",
    )
    assert outcome.status == 0
    assert 0 < int(outcome.output) <= LIMITS.processes
    assert_unaffected(box)


def test_a_fork_bomb_leaves_a_program_beside_it_alone(box: Sandbox) -> None:
    bomb = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
    thread = threading.Thread(target=python, args=(box, bomb, 1.5))
    thread.start()
    time.sleep(0.5)
    assert_unaffected(box)
    thread.join()


def test_ten_gigabytes_are_not_given(box: Sandbox) -> None:
    outcome = python(box, "b = bytearray(10 << 30)")
    assert outcome.status not in (0, None)
    assert "MemoryError" in outcome.output
    assert_unaffected(box)


def test_many_processes_together_get_no_more_than_the_group(box: Sandbox) -> None:
    if box.describe()["memory"] != "control group":
        pytest.skip("control groups cannot be made here; memory is bounded for each process only")
    source = (
        "import os, time\nfor _ in range(8):\n  if os.fork() == 0: b = b'x' * (300 << 20); time.sleep(1); os._exit(0)\n"
        "print(max(os.wait()[1] for _ in range(8)))"
    )
    outcome = python(box, source)
    assert outcome.output.strip() != "0", "eight times 300 MB fitted into 512 MB"
    assert_unaffected(box)


def test_an_endless_loop_ends_at_the_deadline(box: Sandbox) -> None:
    mark = uuid.uuid4().hex
    loop = f"import subprocess\nsubprocess.run(['/bin/sh', '-c', ': {mark}; while :; do :; done'])"
    assert python(box, loop, wall_s=1.0).timed_out
    assert_gone(mark)
    assert_unaffected(box)


def test_the_network_cannot_be_reached(box: Sandbox) -> None:
    outcome = python(box, "import socket\nsocket.create_connection(('192.0.2.1', 80), 1)")
    assert outcome.status == 1
    assert "Network is unreachable" in outcome.output or "Operation not permitted" in outcome.output
    assert_unaffected(box)


@pytest.mark.parametrize("path", ["/usr/x", "/x", "/etc/x", "/proc/sys/kernel/core_pattern"])
def test_nothing_outside_tmp_can_be_written(box: Sandbox, path: str) -> None:
    outcome = python(box, f"open({path!r}, 'w').write('x')")
    assert outcome.status == 1
    assert "Read-only" in outcome.output or "Permission denied" in outcome.output


def test_tmp_begins_empty_and_does_not_outlive_the_program(box: Sandbox) -> None:
    python(box, "open('/tmp/left', 'w').write('x')")
    outcome = python(box, "import os\nprint(sorted(os.listdir('/tmp')))")
    assert outcome.output == "['t.py']\n"


def test_the_files_of_the_machine_are_not_there(box: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    for path in (tmp_path / "secret", Path("/etc/shadow"), Path("/root"), Path("/home")):
        assert "FileNotFoundError" in python(box, f"import os\nos.stat({str(path)!r})").output


def test_a_folder_is_readable_only_where_it_was_named(box: Sandbox, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "note").write_text("hello")
    outcome = box.run(("/bin/cat", "/opt/shared/note"), "x", b"", {"shared": tmp_path})
    assert outcome.output == "hello"
    outcome = box.run(("/bin/sh", "-c", "echo x > /opt/shared/note"), "x", b"", {"shared": tmp_path})
    assert outcome.status != 0
    assert (tmp_path / "note").read_text() == "hello"


def test_an_orphan_with_a_session_of_its_own_does_not_survive(box: Sandbox) -> None:
    mark = uuid.uuid4().hex
    outcome = python(
        box,
        "import subprocess\n"
        f"subprocess.Popen(['/bin/sh', '-c', ': {mark}; sleep 600'], start_new_session=True)\nprint('left')",
    )
    assert (outcome.status, outcome.timed_out) == (0, False)
    assert_gone(mark)
    assert_unaffected(box)


def test_a_flood_of_output_is_dropped_and_its_beginning_kept(box: Sandbox) -> None:
    outcome = python(box, "import sys\nfor _ in range(2000): sys.stdout.write('flood' * 10_000)")
    assert outcome.status == 0
    assert outcome.output.startswith("floodflood")
    assert len(outcome.output) == LIMITS.output_bytes
    assert_unaffected(box)


def test_a_file_cannot_grow_beyond_its_limit_nor_tmp_beyond_its_own(box: Sandbox) -> None:
    assert python(box, "open('big', 'wb').write(b'x' * (2 << 20))").status not in (0, None)
    source = "for n in range(20): open(str(n), 'wb').write(b'x' * (1 << 20))"
    assert "No space left" in python(box, source).output
    assert_unaffected(box)


def test_the_program_has_no_privileges_and_a_clean_environment(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    status = python(box, "import os\nprint(open('/proc/self/status').read(), dict(os.environ))").output
    assert "CapEff:\t0000000000000000" in status
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "SECRET_TOKEN" not in status


SLEEP = b"/bin/sleep\x0060\x00"


def test_no_process_of_the_sandbox_shows_the_environment_of_the_caller(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen from outside, where also those can be read that root hides from the program."""
    monkeypatch.setenv("SECRET_TOKEN", "xyzzy")
    thread = threading.Thread(target=box.run, args=(("/bin/sleep", "60"), "x", b""))
    thread.start()
    while not (sleeping := [pid for pid in cpu_time.tree(os.getpid()) if command(pid) == SLEEP]):
        assert thread.is_alive()
        time.sleep(0.02)
    shown = {pid: environment(pid) for pid in cpu_time.tree(os.getpid()) if pid != os.getpid()}
    for pid in sleeping:
        os.kill(pid, signal.SIGKILL)
    thread.join()
    assert len([text for text in shown.values() if text]) >= 2
    assert [pid for pid, text in shown.items() if b"xyzzy" in text] == []


def environment(pid: int) -> bytes:
    return content(f"/proc/{pid}/environ")


def command(pid: int) -> bytes:
    """Its words, a NUL behind each."""
    return content(f"/proc/{pid}/cmdline")


def content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def test_a_program_does_not_outlive_the_killed_process_that_started_it(box: Sandbox) -> None:
    mark = uuid.uuid4().hex
    code = (
        "from assay.sandbox import isolation, sandbox\n"
        "isolation.Bubblewrap.missing = isolation.Unshare.missing = lambda self: [] if self.name == KIND else ['x']\n"
        "with sandbox.opened() as box: box.run(('/bin/sh', '-c', ': MARK; sleep 600; :'), 'x', b'')"
    ).replace("KIND", repr(box.isolation.name))
    with subprocess.Popen([sys.executable, "-c", code.replace("MARK", mark)]) as starter:
        while not [line for line in running(mark) if "sleep 600" in line and "sandbox" not in line]:
            assert starter.poll() is None
            time.sleep(0.05)
        time.sleep(0.3)
        starter.kill()
    assert_gone(mark)


def test_a_program_without_proc_finds_nothing_there_but_its_interpreter(box: Sandbox) -> None:
    source = b"import os, sys\nprint([os.path.join(d, n) for d, _, f in os.walk('/proc') for n in f])"
    outcome = box.run(PYTHON[:-1], "", b"", has_proc=False)
    assert outcome.status == 0
    outcome = box.run(PYTHON[:-1], "", source, has_proc=False)
    assert outcome.output == "['/proc/self/exe']\n"


def test_the_next_program_in_the_same_room_finds_no_process_of_a_fork_bomb(box: Sandbox) -> None:
    bomb = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
    for _ in range(2):
        outcome = python(box, bomb, wall_s=0.5)
        assert outcome.timed_out or outcome.status == 137, "the wall or the limit of memory ends it"
        assert_unaffected(box)
        assert_unaffected(box)


def test_system_calls_that_no_program_needs_are_refused(box: Sandbox) -> None:
    if not box.describe()["seccomp"]:
        pytest.skip("no seccomp filter with this isolation")
    call = "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\nprint({}, ctypes.get_errno())"
    for refused in (
        "c.unshare(0x10000000)",
        "c.ptrace(0, 0, 0, 0)",
        "c.mount(b'a', b'/tmp', b'tmpfs', 0, b'')",
    ):
        assert python(box, call.format(refused)).output == "-1 1\n"
    assert "fine" in python(box, "import socket\nsocket.socketpair()\nprint('fine')").output


def test_an_exit_status_comes_through(box: Sandbox) -> None:
    assert box.run(("/bin/sh", "-c", "exit 3"), "x", b"").status == 3
    assert box.run(("/bin/sh", "-c", "sh -c 'kill -9 $$'; exit $?"), "x", b"").status == 137


def test_without_any_wall_the_answer_is_a_refusal_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for wall in (Bubblewrap, Unshare):
        monkeypatch.setattr(wall, "missing", lambda self: ["the tool"])
    with pytest.raises(EnvironmentProblem) as problem, sandboxes.opened():
        pass
    assert "bubblewrap needs the tool, not installed; unshare needs the tool" in problem.value.message
    assert "bubblewrap" in problem.value.hint


def test_walls_that_do_not_work_are_refused_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    for wall in (Bubblewrap, Unshare):
        monkeypatch.setattr(wall, "missing", lambda self: [])
        monkeypatch.setattr(
            wall, "prefix", lambda self, inside: ["/bin/sh", "-c", "echo broken; exit 7", "sh"]
        )
    with pytest.raises(EnvironmentProblem, match="bubblewrap does not work here: broken"), sandboxes.opened():
        pass


def test_no_sandbox_must_be_asked_for_and_is_recorded() -> None:
    with sandboxes.opened(unsafe=True) as box:
        assert isinstance(box.isolation, NoIsolation)
        assert box.describe()["safe"] is False
        assert box.run(("/bin/sh", "-c", "exit 3"), "x", b"").status == 3
