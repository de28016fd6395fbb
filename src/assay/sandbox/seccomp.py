"""A seccomp filter (a small BPF program) that refuses system calls which sandboxed programs never need.

It adds to the namespaces: no new namespaces or mounts, no tracing of other processes, no keyrings, no BPF, no
io_uring, and only local sockets. A refused call gives EPERM. `clone3` gives ENOSYS; the C library then uses `clone`,
which passes its flags in a way that a filter can read. A call that lowers the program's priority returns 0 and does
nothing. Otherwise a program that waits because of its low priority would look like one that other processes keep
from the processors.
"""

from __future__ import annotations

import errno
import platform
import struct
import sys
from dataclasses import dataclass

# Instruction codes and return values. Source: linux/bpf_common.h, linux/seccomp.h, linux/audit.h.
_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCH, _FIRST_ARG = 0, 4, 16  # offsets in struct seccomp_data
_X32_BIT = 0x40000000
_CLONE_NEW = 0x7E020000  # CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET
_AF_UNIX = 1


@dataclass(frozen=True)
class _Machine:
    """Call numbers of one architecture. Source: asm/unistd_64.h; asm-generic/unistd.h for aarch64."""

    audit_arch: int
    clone: int
    clone3: int
    socket: int
    refused: tuple[int, ...]
    idle: tuple[int, ...]
    """Calls that return 0 and do nothing: setpriority, sched_setparam, sched_setscheduler, sched_setattr."""


# Calls added since 2019. From then on all architectures use the same numbers.
_YOUNG = (425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 440, 442)  # io_uring_*, mount API, pidfd_getfd, …

_MACHINES = {
    "x86_64": _Machine(
        audit_arch=0xC000003E,
        clone=56,
        clone3=435,
        socket=41,
        # ptrace syslog pivot_root chroot acct mount umount2 swapon swapoff reboot init_module delete_module
        # add_key request_key keyctl unshare perf_event_open name_to_handle_at open_by_handle_at setns
        # process_vm_readv process_vm_writev kcmp finit_module kexec_file_load bpf userfaultfd kexec_load
        refused=(
            *(101, 103, 155, 161, 163, 165, 166, 167, 168, 169, 175, 176, 248, 249, 250, 272, 298, 303),
            *(304, 308, 310, 311, 312, 313, 320, 321, 323, 246),
            *_YOUNG,
        ),
        idle=(141, 142, 144, 314),
    ),
    "aarch64": _Machine(
        audit_arch=0xC00000B7,
        clone=220,
        clone3=435,
        socket=198,
        refused=(
            *(117, 116, 41, 51, 89, 40, 39, 224, 225, 142, 105, 106, 217, 218, 219, 97, 241, 264, 265, 268),
            *(270, 271, 272, 273, 294, 280, 282, 104),
            *_YOUNG,
        ),
        idle=(140, 118, 119, 274),
    ),
}


def program() -> bytes | None:
    """The filter for this machine, in the form for `bwrap --seccomp`; None if its call numbers are unknown."""
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.byteorder != "little":
        return None
    return b"".join(_instructions(machine))


def _instructions(machine: _Machine) -> list[bytes]:
    refuse = _op(_RETURN, _ERRNO | errno.EPERM)
    code = [
        _op(_LOAD, _ARCH),
        _op(_JUMP_EQUAL, machine.audit_arch, 1, 0),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NUMBER),
        _op(_JUMP_ABOVE, _X32_BIT, 0, 1),
        _op(_RETURN, _KILL),
        _op(_JUMP_EQUAL, machine.clone3, 0, 1),
        _op(_RETURN, _ERRNO | errno.ENOSYS),
    ]
    for number in machine.refused:
        code += [_op(_JUMP_EQUAL, number, 0, 1), refuse]
    for number in machine.idle:
        code += [_op(_JUMP_EQUAL, number, 0, 1), _op(_RETURN, _ERRNO)]
    # The first argument is checked for two calls. Each part ends in a verdict, so its jumps stay inside it.
    code += [
        _op(_JUMP_EQUAL, machine.clone, 0, 4),
        _op(_LOAD, _FIRST_ARG),
        _op(_JUMP_BITS, _CLONE_NEW, 0, 1),
        refuse,
        _op(_RETURN, _ALLOW),
        _op(_JUMP_EQUAL, machine.socket, 0, 4),
        _op(_LOAD, _FIRST_ARG),
        _op(_JUMP_EQUAL, _AF_UNIX, 1, 0),
        refuse,
        _op(_RETURN, _ALLOW),
        _op(_RETURN, _ALLOW),
    ]
    return code


def _op(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One struct sock_filter. The jumps are numbers of instructions to skip."""
    return struct.pack("<HBBI", code, if_true, if_false, operand)
