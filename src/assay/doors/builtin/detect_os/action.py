"""The operating system, in the variables that recipes read."""

from __future__ import annotations

import platform

from assay.doors.builtin.call import Answer, BuiltinCall


def action(call: BuiltinCall) -> Answer:
    system = platform.uname()
    release = _os_release()
    return call.answer(
        {
            "CM_HOST_OS_TYPE": system.system.lower(),
            "CM_HOST_OS_FLAVOR": release.get("ID", system.system.lower()),
            "CM_HOST_OS_FLAVOR_LIKE": release.get("ID_LIKE", ""),
            "CM_HOST_OS_VERSION": release.get("VERSION_ID", ""),
            "CM_HOST_OS_KERNEL_VERSION": system.release,
            "CM_HOST_OS_MACHINE": system.machine,
            "CM_HOST_PLATFORM_FLAVOR": system.machine,
            "CM_HOST_SYSTEM_NAME": system.node,
            "CM_HOST_PYTHON_BITS": platform.architecture()[0].removesuffix("bit"),
        }
    )


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:  # systems without /etc/os-release, as macOS
        return {}
