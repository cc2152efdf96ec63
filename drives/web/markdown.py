"""Render the Markdown that coordinators write: paragraphs, headings, lists, quotes, emphasis and links.

The parser treats everything else as text, including HTML. A sanitizer then removes all elements that are not on a list,
so that an error in the parser cannot put a script into a page.
"""

from functools import cache
from typing import Final

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

RULES: Final = ("heading", "list", "blockquote", "emphasis", "link", "escape", "newline")
ELEMENTS: Final = {"p", "h3", "h4", "ul", "ol", "li", "blockquote", "em", "strong", "a", "br"}
SCHEMES: Final = {"http", "https", "mailto"}
# The page has h1 and h2. "#" and "##" become h3, all others h4.
_HEADINGS: Final = {"h1": "h3", "h2": "h3", **dict.fromkeys(("h3", "h4", "h5", "h6"), "h4")}


def render_markdown(text: str) -> SafeString:
    import nh3  # noqa: PLC0415  most pages show no Markdown

    parser = _build_parser()
    tokens = parser.parse(text)
    for token in tokens:
        token.tag = _HEADINGS.get(token.tag, token.tag)
    html = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(
        html, tags=ELEMENTS, attributes={"a": {"href"}}, url_schemes=SCHEMES, link_rel="noopener nofollow"
    )
    return mark_safe(clean)  # noqa: S308  sanitized


@cache
def _build_parser() -> MarkdownIt:
    return MarkdownIt("zero", {"html": False}).enable(list(RULES))
