"""No foreign text becomes part of a page's markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ground.printable import printable
from assay.report.markup import VOID, Markup, element, escaped, joined, table


class Reader(HTMLParser):
    """What a browser would see: tags with attributes, and text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


ANY = st.text() | st.sampled_from(
    ["<b>", "</p>", '"', "'", "&amp;", "&lt", "<!--", "]]>", "<script>x</script>"]
)


@given(ANY, ANY)
def test_any_text_stays_text_in_an_element_and_in_an_attribute(text: str, value: str) -> None:
    seen = Reader(element("p", text, title=value))
    assert [tag for tag, _ in seen.tags] == ["p"]
    assert "".join(seen.texts) == printable(text) and seen.tags[0][1] == {"title": printable(value)}


@given(st.lists(ANY, max_size=4))
def test_pieces_are_joined_in_order(pieces: list[str]) -> None:
    assert joined(*pieces) == "".join(map(escaped, pieces))
    assert isinstance(joined(*pieces), Markup)


def test_markup_is_not_escaped_again() -> None:
    inner = element("b", "x & y")
    assert inner == "<b>x &amp; y</b>" and escaped(inner) is inner
    assert element("p", inner, " <") == "<p><b>x &amp; y</b> &lt;</p>"
    assert escaped(str(inner) + "") == "&lt;b&gt;x &amp;amp; y&lt;/b&gt;"


@pytest.mark.parametrize("value", [None, 0, 1.5, False])
def test_values_that_are_no_text_are_told_as_one(value: object) -> None:
    assert escaped(value) == str(value)


def test_controls_are_shown_and_not_sent() -> None:
    assert not re.search(r"[\x00-\x08\x1b\x7f\x9b]", escaped("a\x1b[31m\x00\x9b"))


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"class_": "a"}, ' class="a"'),
        ({"stroke_width": 2}, ' stroke-width="2"'),
        ({"title": None}, ""),
        ({"title": ""}, ' title=""'),
        ({"x": 0}, ' x="0"'),
        ({"a": 1, "b": 2}, ' a="1" b="2"'),
    ],
)
def test_attributes_have_pythons_names_made_htmls(attributes: dict[str, object], text: str) -> None:
    assert element("p", **attributes) == f"<p{text}></p>"


@pytest.mark.parametrize("name", sorted(VOID))
def test_elements_without_content_close_themselves(name: str) -> None:
    assert element(name, "ignored", x=1) == f'<{name} x="1"/>'


def test_a_table_names_its_columns_and_rows() -> None:
    seen = Reader(table(("name", "value"), [("a", "<1>"), ("b", 2)]))
    assert [(tag, attrs.get("scope")) for tag, attrs in seen.tags if tag in ("th", "td")] == [
        ("th", "col"),
        ("th", "col"),
        ("th", "row"),
        ("td", None),
        ("th", "row"),
        ("td", None),
    ]
    assert seen.texts == ["name", "value", "a", "<1>", "b", "2"]
    assert seen.tags[0] == ("div", {"class": "scroll", "tabindex": "0"})


def test_only_a_cell_of_a_long_word_may_break_inside_of_words() -> None:
    seen = Reader(table(("name", "value"), [("a", "0.5 tokens/sample"), ("b", "x" * 64)]))
    assert [attrs.get("class") for tag, attrs in seen.tags if tag == "td"] == [None, "long"]


def test_a_table_without_rows_has_its_heads() -> None:
    assert [tag for tag, _ in Reader(table(("a",), [])).tags] == [
        "div",
        "table",
        "thead",
        "tr",
        "th",
        "tbody",
    ]
