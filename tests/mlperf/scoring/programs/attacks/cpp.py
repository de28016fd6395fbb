"""C++ programs that must not pass, and right ones that do unusual things."""

from __future__ import annotations

HOSTILE = {
    "aborts": "int f() { abort(); }",
    "throws": "int f() { throw 1; }",
    "exits with 257": "int f() { _exit(257); }",
    "a null pointer": "int f() { return *(volatile int *)0; }",
    "kills its parent": "int f() { kill(getppid(), 9); _exit(0); }",
    "kills everything": "int f() { kill(-1, 9); _exit(0); }",
    "stops its parent": "int f() { kill(getppid(), SIGSTOP); _exit(0); }",
    "a constructor that fails": "struct S { S() { _exit(4); } } s; int f() { return 1; }",
    "a destructor that fails": "struct S { ~S() { _exit(4); } } s; int f() { return 1; }",
    "spins": "int f() { for (volatile int i = 0;; i++); }",
    "a child that succeeds": "int f() { if (fork() == 0) _exit(0); wait(0); return 2; }",
    "no stack": "int f() { volatile char a[1 << 20]; a[0] = 1; return f() + a[0]; }",
    "forks without end": "int f() { for (;;) fork(); }",
    "a compile without end": r"""
template <int N> struct T { typedef typename T<N + 1>::t t; }; T<0>::t x; int f() { return 1; }
""",
    "an inclusion of itself": r"""
#include "t.cpp"
int f() { return 1; }
""",
    "a file of another included": r"""
#include "/etc/shadow"
int f() { return 1; }
""",
    "an error of the compiler": r"""
#error .
int f() { return 1; }
""",
    "an assembler that prints": r'asm(".print \".\"\n.err"); int f() { return 1; }',
    "an object of gigabytes": "char a[1ul << 32] = {1}; int f() { return 1; }",
    "constant evaluation without end": r"""
constexpr int g(unsigned long n) { int s = 0; for (unsigned long i = 0; i < n; i++) s += i; return s; }
constexpr int v = g(~0ul); int f() { return 1; }
""",
}
"""What it does -> program."""

RIGHT = [
    (
        r"""
#include <bits/stdc++.h>
int f(int x) { int r; std::thread t([&] { r = x * 2; }); t.join(); return r; }
""",
        "\nint main() { return f(2) - 4; }",
    ),
    (
        r"""
#include <unistd.h>
#include <sys/wait.h>
#include <iostream>
int f(int x) { if (!fork()) _exit(3); wait(0); std::cout << ".." << std::endl; return 2 * x; }
""",
        "\nint main() { if (f(2) != 4) return 1; _exit(0); }",
    ),
]
"""(program, test): they pass, whatever they print, start or leave running."""
