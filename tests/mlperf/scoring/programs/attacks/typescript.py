"""TypeScript programs that must not pass, and right ones that do unusual things."""

from __future__ import annotations

HOSTILE = {
    "throws": "const f = (): number[] => { throw 1 }",
    "spins": "const f = (): number[] => { for (;;) ; }",
    "compiles without an error of its own": r"""
// @ts-nocheck
const f = (): number[] => [1]
""",
    "declares require": r"""
declare var require: any; const f = () => [1]; const q = require('child_process').execSync('exit 3')
""",
    "kills its parent": r"""
const f = (): number[] => { (process as any).kill((process as any).ppid, 'SIGKILL'); return [1] }
""",
    "stops its parent": r"""
const f = (): number[] => { (process as any).kill((process as any).ppid, 'SIGSTOP'); return [1] }
""",
    "types without end": r"""
type A<T> = { a: A<A<T[]>> }; type D<N extends any[]> = N['length'] extends 99999 ? N : D<[...N, 1]>;
let x: D<[]> = 1; const f = () => [2]
""",
    "an own emit": r"""
/// <reference path='/opt/node_modules/typescript/lib/lib.dom.d.ts' />
const f = () => [2]
""",
    "waits": "const f = (): any => { setInterval(() => 1, 1000); return [1] }",
    "rejects": "const f = (): any => { Promise.reject(1); return [1] }",
}
"""What it does -> program."""

RIGHT = [
    (
        "const f = (x: number): string => (x as any) * 2",
        "\nimport * as assert from 'assert'\nassert.deepEqual(f(2), 4)",
    ),
    (
        r"""
enum E { A = 2 }
const f = (x: number): number => { console.log('.'); return x * E.A }
""",
        "\nimport * as assert from 'assert'\nassert.deepEqual(f(2), 4)",
    ),
]
"""(program, test): they pass, whatever they print, start or leave running."""
