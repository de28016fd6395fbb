"""Passes a user name and a password to git in environment variables, so that no command line and no file contains
them."""

from __future__ import annotations

import os
import urllib.parse
from typing import NamedTuple

USER, PASSWORD = "ASSAY_GIT_USER", "ASSAY_GIT_PASSWORD"
# The credential helper that git calls when a server asks; it reads the two variables from its environment.
HELPER = f'!f() {{ test "$1" = get && printf "username=%s\\npassword=%s\\n" "${USER}" "${PASSWORD}"; }}; f'


class Login(NamedTuple):
    """The login for one server. Without user and password it is none."""

    server: str = ""
    user: str = ""
    password: str = ""

    @property
    def is_given(self) -> bool:
        return bool(self.user or self.password)

    def options(self) -> list[str]:
        """git options that use our credential helper for this server instead of the user's."""
        if not self.is_given:
            return []
        key = f"credential.{self.server}.helper"
        return ["-c", f"{key}=", "-c", f"{key}={HELPER}"]

    def environment(self) -> dict[str, str]:
        """The environment of git's process."""
        return {**os.environ, USER: self.user, PASSWORD: self.password}


def apart(url: str, token: str = "") -> tuple[str, Login]:
    """(the URL without user and password, the login that it contained). Only http and https URLs are changed.

    A token is used as the password, as GitHub and GitLab expect.
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
