"""JavaScript programs that must not pass, and right ones that do unusual things."""

from __future__ import annotations

HOSTILE = {
    "throws": "throw 1",
    "rejects": "Promise.reject(1)",
    "rejects later": "setTimeout(() => Promise.reject(new Error('x')), 10)",
    "aborts": "process.abort()",
    "kills itself": "process.kill(process.pid, 'SIGKILL')",
    "kills itself softly": "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 1e6)",
    "kills its parent": "process.kill(process.ppid, 'SIGKILL'); process.exit(0)",
    "kills everything": "process.kill(-1, 'SIGKILL'); process.exit(0)",
    "stops its parent": "process.kill(process.ppid, 'SIGSTOP'); process.exit(0)",
    "waits for ever": "setInterval(() => {}, 1000)",
    "spins": "for (;;) ;",
    "waits in Atomics": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "spins in a worker": "new (require('worker_threads').Worker)('for(;;);', {eval: true})",
    "an exit code set at the end": "process.on('exit', () => { process.exitCode = 3 })",
    "256 + 1": "process.exit(257)",
    "no memory": "const a = []; for (;;) a.push(new Array(1e7).fill(1))",
    "no stack": "function r() { return r() + 1 }; r()",
    "a syntax error after an exit": "process.exit(0); ]",
    "an uncaught handler that throws": "process.on('uncaughtException', () => { throw 2 }); throw 1",
    "floods": "for (;;) require('fs').writeSync(1, '.'.repeat(65536))",
    "forks without end": "for (;;) require('child_process').spawn('/bin/sleep', ['50'])",
    "waits for a sleeper": "require('child_process').spawnSync('/bin/sleep', ['50'])",
    "exec of a failure": "require('child_process').execSync('exit 3')",
    "a signal to the whole group": "process.kill(0, 'SIGTERM'); setTimeout(() => {}, 1e6)",
    "the network": "require('net').connect(80, '1.1.1.1')",
    "writes outside": "require('fs').writeFileSync('/opt/node_modules/x', '')",
    "the store of its packages": "require('fs').writeFileSync('/opt/node_modules/lodash/lodash.js', '')",
    "lowest priority": "require('os').setPriority(19); for (;;) ;",
}
"""What it does -> program."""

RIGHT = [
    (
        "const f = x => x * 2; console.log('.'.repeat(9000))",
        "\nif (!require('lodash').isEqual(f(2), 4)) throw 1\nprocess.exit(0)",
    ),
    (
        r"""
const f = x => x * 2; setTimeout(() => {}, 50); process.on('exit', () => console.error('bye'))
""",
        "\nif (!require('lodash').isEqual(f(2), 4)) throw 1",
    ),
    (
        "const f = x => +require('child_process').execSync('echo 4')",
        "\nif (!require('lodash').isEqual(f(2), 4)) throw 1",
    ),
    (
        r"""
const f = x => x * 2; new (require('worker_threads').Worker)('1', {eval: true})
""",
        "\nif (!require('lodash').isEqual(f(2), 4)) throw 1",
    ),
]
"""(program, test): they pass, whatever they print, start or leave running."""
