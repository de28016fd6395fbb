"""Ways to isolate a program, as command prefixes: bubblewrap, unshare of util-linux, or none.

The program's own command follows the prefix. This module knows nothing of processes or limits.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# Programs see these parts of the machine read-only: everything under /usr, and the links and settings that
# interpreters and the dynamic loader need.
SYSTEM_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
SETTINGS = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/php")
NOBODY = 65534


@dataclass(frozen=True)
class Inside:
    """The environment that a program sees inside one sandbox."""

    uid: int
    env: Mapping[str, str]
    readable: Mapping[str, Path]
    """Name below /opt -> folder on this machine."""
    tmp_bytes: int
    executable: str = ""
    """Empty = /proc is mounted. Otherwise /proc has only /proc/self/exe, a link to this file for the dynamic loader."""


class Isolation(Protocol):
    """One way to isolate a program from the machine."""

    name: str

    def missing(self) -> list[str]:
        """Tools that are not installed. Whether the kernel allows their use is found out by trying."""

    def prefix(self, inside: Inside) -> list[str]: ...

    def named(self, text: str, readable: Mapping[str, Path]) -> str:
        """The text with each path below /opt replaced by its path inside the sandbox."""


class _OwnRoot:
    """Isolation with its own root: readable folders are below /opt, so paths need no change."""

    def named(self, text: str, readable: Mapping[str, Path]) -> str:
        return text


class Bubblewrap(_OwnRoot):
    """Debian's `bubblewrap`. With `has_filter`, file descriptor 9 is open on the seccomp filter."""

    name = "bubblewrap"

    def __init__(self, has_filter: bool) -> None:
        self.has_filter = has_filter

    def missing(self) -> list[str]:
        return _missing("bwrap", *(("setpriv",) if _is_root() else ()))

    def prefix(self, inside: Inside) -> list[str]:
        argv = ["bwrap", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
        argv += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        if not _is_root():
            # Bubblewrap's own first process would have the program's uid and run without the filter, so that the
            # program could attack it. With --as-pid-1 there is no such process.
            argv += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY), "--as-pid-1"]
        else:
            # The kernel ignores the process limit for root's own ids, also in user namespaces. So root makes no
            # user namespace, and the program really becomes another user.
            argv += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
        for name, value in inside.env.items():
            argv += ["--setenv", name, value]
        argv += ["--ro-bind", "/usr", "/usr", "--dev", "/dev"]
        # Only root can read folders that bubblewrap makes by itself.
        for folder in ("/etc", "/opt", *(("/proc", "/proc/self") if inside.executable else ())):
            argv += ["--perms", "0755", "--dir", folder]
        argv += (
            ["--symlink", inside.executable, "/proc/self/exe"] if inside.executable else ["--proc", "/proc"]
        )
        for link in SYSTEM_LINKS:
            if Path(link).is_symlink():
                argv += ["--symlink", str(Path(link).readlink()), link]
            else:
                argv += ["--ro-bind-try", link, link]
        for setting in SETTINGS:
            argv += ["--ro-bind-try", setting, setting]
        for name, source in inside.readable.items():
            argv += ["--ro-bind", str(source), f"/opt/{name}"]
        argv += ["--perms", "1777", "--size", str(inside.tmp_bytes), "--tmpfs", "/tmp"]
        argv += ["--remount-ro", "/", "--chdir", "/tmp"]
        if self.has_filter:
            argv += ["--seccomp", "9"]
        return [*argv, "--", *(_drop_root(inside.uid) if _is_root() else [])]


class Unshare(_OwnRoot):
    """`unshare` of util-linux. A short script makes the root. There is no seccomp filter."""

    name = "unshare"

    _BUILD = """
set -e
root=$1 size=$2 exe=$3; shift 3
mount -t tmpfs -o mode=755 sandbox "$root"
bind() {
    [ -e "$1" ] || return 0
    if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$root$(dirname "$2")"; : > "$root$2"; fi
    mount --bind "$1" "$root$2"
    [ "$3" = rw ] || mount -o remount,bind,ro,nosuid "$root$2"
}
for link in /bin /sbin /lib /lib32 /lib64; do
    if [ -L "$link" ]; then ln -s "$(readlink "$link")" "$root$link"; else bind "$link" "$link"; fi
done
while [ "$1" != -- ]; do bind "$1" "$2"; shift 2; done
shift
for device in null zero random urandom; do bind "/dev/$device" "/dev/$device" rw; done
mkdir -p "$root/proc/self" "$root/tmp"
if [ "$exe" ]; then ln -s "$exe" "$root/proc/self/exe"; else mount -t proc proc "$root/proc"; fi
mount -t tmpfs -o "mode=1777,nosuid,nodev,size=$size" tmp "$root/tmp"
mount -o remount,bind,ro "$root"
exec chroot "$root" "$@"
"""

    def missing(self) -> list[str]:
        return _missing("unshare", "setpriv", "mount", "chroot")

    def prefix(self, inside: Inside) -> list[str]:
        argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child=SIGKILL"]
        argv += ["--mount", "--net", "--pid", "--ipc", "--uts"]
        if not _is_root():
            argv += ["--user", "--map-root-user"]
        argv += ["sh", "-c", self._BUILD, "sh", "/mnt", str(inside.tmp_bytes), inside.executable]
        for path in ("/usr", *SETTINGS):
            argv += [path, path]
        for name, folder in inside.readable.items():
            argv += [str(folder), f"/opt/{name}"]
        argv += ["--", "env", "-i"]
        argv += [f"{name}={value}" for name, value in inside.env.items()]
        argv += _drop_root(inside.uid) if _is_root() else _drop_capabilities()
        return [*argv, "sh", "-c", 'cd /tmp && exec "$@"', "sh"]


class NoIsolation:
    """No isolation: the program runs as the caller. Only for `--unsafe-no-sandbox`."""

    name = "none"

    def missing(self) -> list[str]:
        return []

    def prefix(self, inside: Inside) -> list[str]:
        return ["env", "-i", *(f"{name}={value}" for name, value in inside.env.items())]

    def named(self, text: str, readable: Mapping[str, Path]) -> str:
        for name, folder in readable.items():
            text = re.sub(rf"/opt/{re.escape(name)}\b", lambda _, folder=folder: str(folder), text)  # type: ignore[misc]
        return text


def _missing(*tools: str) -> list[str]:
    return [tool for tool in tools if shutil.which(tool) is None]


def _is_root() -> bool:
    return os.geteuid() == 0


def _drop_root(uid: int) -> list[str]:
    ids = [f"--reuid={uid}", f"--regid={NOBODY}", "--clear-groups"]
    return ["setpriv", *ids, *_drop_capabilities()[1:]]


def _drop_capabilities() -> list[str]:
    # A change of user resets the signal that ends the sandbox with its parent. So it is set again.
    ids = ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
    return ["setpriv", "--no-new-privs", *ids, "--pdeathsig", "KILL"]
