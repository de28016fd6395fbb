"""The filter of system calls, run by a small interpreter of classic BPF. Source of it: linux/filter.h, seccomp(2)."""

from __future__ import annotations

import errno
import platform
import struct

import pytest

from assay.sandbox import seccomp

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
REFUSED, NO_SUCH, DONE = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS, ERRNO
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CALLS = {
    "x86_64": {"read": 0, "write": 1, "socket": 41, "clone": 56, "fork": 57, "execve": 59, "ptrace": 101}
    | {"mount": 165, "umount2": 166, "keyctl": 250, "unshare": 272, "bpf": 321, "setns": 308, "chroot": 161}
    | {"getpriority": 140, "setpriority": 141, "sched_setscheduler": 144, "sched_setattr": 314},
    "aarch64": {"read": 63, "write": 64, "socket": 198, "clone": 220, "execve": 221, "ptrace": 117}
    | {"mount": 40, "umount2": 39, "keyctl": 219, "unshare": 97, "bpf": 280, "setns": 268, "chroot": 51}
    | {"getpriority": 141, "setpriority": 140, "sched_setscheduler": 119, "sched_setattr": 274},
}
"""Source: arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h."""
SAME = {
    "clone3": 435,
    "io_uring_setup": 425,
    "fsopen": 430,
    "pidfd_open": 434,
    "openat2": 437,
    "pidfd_getfd": 438,
}
CLONE_VM, CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x100, 0x20000, 0x10000000, 0x40000000
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16


def verdict(program: bytes, arch: int, number: int, first: int = 0) -> int:
    """What the filter returns for one call."""
    data = struct.pack("<IIQ6Q", number, arch, 0, first, 0, 0, 0, 0, 0)
    register, at = 0, 0
    while True:
        code, if_true, if_false, operand = struct.unpack_from("<HBBI", program, at * 8)
        at += 1
        if code == 0x06:
            return int(operand)
        if code == 0x20:
            (register,) = struct.unpack_from("<I", data, operand)
            continue
        holds = {0x15: register == operand, 0x35: register >= operand, 0x45: bool(register & operand)}[code]
        at += if_true if holds else if_false


@pytest.fixture(params=sorted(ARCH))
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    monkeypatch.setattr(platform, "machine", lambda: name)
    return name


def judged(machine: str, call: str, first: int = 0) -> int:
    program = seccomp.program()
    assert program is not None
    return verdict(program, ARCH[machine], (CALLS[machine] | SAME)[call], first)


@pytest.mark.parametrize("call", ["read", "write", "execve", "openat2", "pidfd_open", "getpriority"])
def test_what_programs_need_is_allowed(machine: str, call: str) -> None:
    assert judged(machine, call) == ALLOW


@pytest.mark.parametrize(
    "call",
    [
        "ptrace",
        "mount",
        "umount2",
        "keyctl",
        "unshare",
        "bpf",
        "setns",
        "chroot",
        "io_uring_setup",
        "fsopen",
        "pidfd_getfd",
    ],
)
def test_what_no_program_needs_is_refused(machine: str, call: str) -> None:
    assert judged(machine, call) == REFUSED


@pytest.mark.parametrize("call", ["setpriority", "sched_setscheduler", "sched_setattr"])
def test_a_change_of_priority_is_answered_and_not_made(machine: str, call: str) -> None:
    assert judged(machine, call) == DONE


def test_clone3_does_not_exist_so_that_clone_is_used(machine: str) -> None:
    assert judged(machine, "clone3") == NO_SUCH


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (CLONE_VM | 17, ALLOW),
        (0, ALLOW),
        (CLONE_NEWNS, REFUSED),
        (CLONE_NEWUSER | CLONE_VM, REFUSED),
        (CLONE_NEWNET, REFUSED),
    ],
)
def test_a_clone_into_a_new_namespace_is_refused(machine: str, flags: int, expected: int) -> None:
    assert judged(machine, "clone", flags) == expected


@pytest.mark.parametrize(
    ("family", "expected"),
    [(AF_UNIX, ALLOW), (AF_INET, REFUSED), (AF_INET6, REFUSED), (AF_NETLINK, REFUSED), (0, REFUSED)],
)
def test_of_sockets_only_local_ones_are_allowed(machine: str, family: int, expected: int) -> None:
    assert judged(machine, "socket", family) == expected


def test_a_call_in_the_numbers_of_another_architecture_kills(machine: str) -> None:
    program = seccomp.program()
    assert program is not None
    for arch in {*ARCH.values(), 0x40000003} - {ARCH[machine]}:
        assert verdict(program, arch, CALLS[machine]["read"]) == KILL
    assert verdict(program, ARCH[machine], 0x40000000 | CALLS[machine]["read"]) == KILL  # x32


def test_every_call_number_gets_a_verdict(machine: str) -> None:
    program = seccomp.program()
    assert program is not None
    found = {verdict(program, ARCH[machine], number, CLONE_NEWNS) for number in range(600)}
    assert found == {ALLOW, REFUSED, NO_SUCH, DONE}


def test_without_known_numbers_there_is_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert seccomp.program() is None
