"""PHP programs that must not pass, and right ones that do unusual things."""

from __future__ import annotations

HOSTILE = {
    "throws": "<?php throw new Exception('x');",
    "dies with a number": "<?php exit(255);",
    "kills itself": "<?php posix_kill(posix_getpid(), 9);",
    "kills its parent": "<?php posix_kill(posix_getppid(), 9); exit(0);",
    "a fatal error": "<?php f();",
    "a parse error": "<?php exit(0); )",
    "spins": "<?php while (true);",
    "sleeps": "<?php sleep(60);",
    "no memory": r"""
<?php ini_set('memory_limit', -1); $a = []; while (true) $a[] = str_repeat('x', 1 << 24);
""",
    "no stack": "<?php function r() { return r() + 1; } r();",
    "a shutdown function that fails": "<?php register_shutdown_function(function () { exit(9); }); exit(0);",
    "a destructor that throws": r"""
<?php class D { function __destruct() { throw new Exception; } } $d = new D; unset($d);
""",
    "an error handler that throws": "<?php set_error_handler(function () { throw new Exception; }); echo $x;",
    "a shell that fails": "<?php system('kill -9 $PPID');",
    "floods": "<?php while (true) echo str_repeat('.', 65536);",
    "sets no time limit": "<?php set_time_limit(0); ignore_user_abort(true); while (true) usleep(1000);",
}
"""What it does -> program."""

RIGHT = [
    ("<?php function f($x) { echo $undefined; return $x * 2; }", " if (f(2) != 4) exit(1); exit(0);"),
    ("<?php function f($x) { return (int) `echo 4`; }", " if (f(2) != 4) exit(1);"),
]
"""(program, test): they pass, whatever they print, start or leave running."""
