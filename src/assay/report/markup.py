"""HTML and SVG that foreign text cannot become part of: whatever is no `Markup` is escaped on its way in."""

from __future__ import annotations

import html

from assay.ground.printable import printable

LONG_WORD = 28
"""Characters; a longer one is broken anywhere, lest it push the other columns out of sight."""
VOID = frozenset({"meta", "br", "line", "polyline", "rect", "input"})
"""Elements without content."""


class Markup(str):
    """Text that already is HTML. Only this module and constants of our own make some."""

    __slots__ = ()


def escaped(text: object) -> Markup:
    """Any value as text of a page, in an element or in an attribute; controls are shown, as on a terminal."""
    return text if isinstance(text, Markup) else Markup(html.escape(printable(str(text)), quote=True))


def element(name: str, /, *content: object, **attributes: object) -> Markup:
    """`<name attributes>content</name>`. An attribute's `_` is `-`, and one at its end is left out (`class_`); None
    leaves the attribute out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{said}/>")
    return Markup(f"<{name}{said}>{joined(*content)}</{name}>")


def joined(*content: object) -> Markup:
    return Markup("".join(map(escaped, content)))


def table(heads: tuple[str, ...], rows: list[tuple[object, ...]]) -> Markup:
    """A table whose rows are lists on a phone, and that scrolls sideways where it is too wide for another page; the
    first cell names its row."""
    head = element("tr", *(element("th", name, scope="col") for name in heads))
    body = [
        element("tr", element("th", first, scope="row", data_head=heads[0]), *map(_cell, rest, heads[1:]))
        for first, *rest in rows
    ]
    whole = element("table", element("thead", head), element("tbody", *body))
    return element("div", whole, class_="scroll", tabindex=0)


def _cell(content: object, head: str) -> Markup:
    is_long = any(len(word) > LONG_WORD for word in str(content).split())
    return element("td", content, class_="long" if is_long else None, data_head=head)
