"""Ruby programs that must not pass, and right ones that do unusual things."""

from __future__ import annotations

HOSTILE = {
    "raises": "raise 'x'",
    "aborts": "abort",
    "exits with 7": "exit 7",
    "exits in at_exit": "at_exit { exit! 3 }; exit 0",
    "kills itself": "Process.kill(9, $$)",
    "kills its parent": "Process.kill(9, Process.ppid); exit! 0",
    "kills everything": "Process.kill(9, -1); exit! 0",
    "stops its parent": "Process.kill('STOP', Process.ppid); exit! 0",
    "spins": "loop {}",
    "sleeps": "sleep",
    "a thread that raises": "Thread.abort_on_exception = true; Thread.new { raise 'x' }.join",
    "throws without a catch": "throw :x",
    "a syntax error after an exit": r"""
exit 0
)
""",
    "no stack": "def r() r + 1 end; r",
    "no memory": "a = []; loop { a << 'x' * (1 << 24) }",
    "exec of a failure": "exec 'false'",
    "forks without end": "loop { fork { sleep 50 } }",
    "waits for its child": "fork { sleep 60 }; Process.wait",
    "a lowest priority": "Process.setpriority(Process::PRIO_PROCESS, 0, 19); loop {}",
}
"""What it does -> program."""

RIGHT = [
    (
        r"""
at_exit { puts '.' }
def f(x) Thread.new { x * 2 }.value end
""",
        "\nraise 'wrong' if f(2) != 4",
    ),
    ("def f(x) Process.wait(fork { exit 3 }); x * 2 end", "\nraise 'wrong' if f(2) != 4"),
]
"""(program, test): they pass, whatever they print, start or leave running."""
