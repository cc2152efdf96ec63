"""Markdown from coordinators is rendered as a few safe HTML elements."""

import re

import pytest

from drives.web import markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "![x](https://example.org/x.png)",
    '[x](https://example.org/ "a" onmouseover=alert(1))',
    '[x](https://example.org/"onmouseover="alert(1))',
    "<https://example.org/><b>",
    "```\n<script>\n```",
    "<a href='https://example.org' style='x'>x</a>",
    "**<svg/onload=alert(1)>**",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "# <iframe src=//example.org></iframe>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_element_or_attribute_outside_the_list_is_left(text: str) -> None:
    html = markdown.render_markdown(text)
    for element, attributes in re.findall(r"<(\w+)([^>]*)>", html):
        assert element in markdown.ELEMENTS
        assert re.fullmatch(r'( href="(https?|mailto):[^"]*")?( rel="noopener nofollow")?', attributes), html


def test_the_usual_forms_are_shown() -> None:
    html = markdown.render_markdown(
        "## Meet Zoe\n\nA **rare** *disease*.\n\n- one\n- two\n\n> said\n\n[more](https://example.org/)"
    )
    for part in ("<h3>Meet Zoe</h3>", "<strong>rare</strong>", "<em>disease</em>", "<li>one</li>", "<blockquote>"):
        assert part in html
    assert '<a href="https://example.org/" rel="noopener nofollow">more</a>' in html


def test_headings_stay_below_those_of_the_page() -> None:
    html = markdown.render_markdown("# One\n\n#### Four")
    assert "<h3>One</h3>" in html
    assert "<h4>Four</h4>" in html
