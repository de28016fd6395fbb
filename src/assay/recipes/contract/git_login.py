"""A user name and a password for git, handed over by the environment: no command line and no file holds them."""

from __future__ import annotations

import os
import urllib.parse
from typing import NamedTuple

USER, PASSWORD = "ASSAY_GIT_USER", "ASSAY_GIT_PASSWORD"
# What git calls when a server asks; it finds the two variables in its environment.
HELPER = f'!f() {{ test "$1" = get && printf "username=%s\\npassword=%s\\n" "${USER}" "${PASSWORD}"; }}; f'


class Login(NamedTuple):
    """For one server; without a user there is none."""

    server: str = ""
    user: str = ""
    password: str = ""

    @property
    def is_given(self) -> bool:
        return bool(self.user or self.password)

    def options(self) -> list[str]:
        """Of git: who answers for this server, in place of the user's own helpers."""
        if not self.is_given:
            return []
        key = f"credential.{self.server}.helper"
        return ["-c", f"{key}=", "-c", f"{key}={HELPER}"]

    def environment(self) -> dict[str, str]:
        """Of git's process."""
        return {**os.environ, USER: self.user, PASSWORD: self.password}


def apart(url: str, token: str = "") -> tuple[str, Login]:
    """(an address without user and password, the login that it held): for http and https alone.

    A token is a password, as GitHub and GitLab take it.
    """
    scheme, separator, rest = url.partition("://")
    if scheme.lower() not in ("http", "https"):
        return url, Login()
    authority, slash, path = rest.partition("/")
    login, at, host = authority.rpartition("@")
    user, _, password = login.partition(":")
    if token and scheme.lower() == "https":
        user, password = "git", token
    found = Login(f"{scheme}://{host}", *map(urllib.parse.unquote, (user, password)))
    return f"{scheme}{separator}{host}{slash}{path}", found if at or token else Login()
