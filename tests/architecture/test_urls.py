"""Every `{% url %}` in every template names a URL route and gives it the right arguments."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.template import engines
from django.template.base import FilterExpression
from django.template.defaulttags import URLNode
from django.urls import URLPattern, URLResolver, get_resolver

from tests.architecture.sources import APPS, Source, project_sources


@dataclass(frozen=True)
class Address:
    """The arguments of a route, in order: each name with the pattern of its values."""

    arguments: dict[str, re.Pattern[str]]

    def takes(self, given: list[str | None], named: dict[str, str | None]) -> bool:
        """Return whether the route accepts these arguments. None stands for a value that is known only at run time."""
        if given and named:
            return False
        pairs = zip(self.arguments, given, strict=False) if given else named.items()
        right_names = len(given) == len(self.arguments) if given else named.keys() == self.arguments.keys()
        return right_names and all(value is None or self.arguments[name].fullmatch(value) for name, value in pairs)


def addresses() -> dict[str, list[Address]]:
    found: dict[str, list[Address]] = {}
    for name, address in _walk(get_resolver().url_patterns, "", {}):
        found.setdefault(name, []).append(address)
    return found


def _walk(patterns: Iterable[Any], prefix: str, before: dict[str, re.Pattern[str]]) -> Iterator[tuple[str, Address]]:
    for each in patterns:
        arguments = before | _arguments(each.pattern)
        if isinstance(each, URLResolver):
            inner = f"{prefix}{each.namespace}:" if each.namespace else prefix
            yield from _walk(each.url_patterns, inner, arguments)
        elif isinstance(each, URLPattern) and each.name:
            yield f"{prefix}{each.name}", Address(arguments)


def _arguments(pattern: Any) -> dict[str, re.Pattern[str]]:
    converted = {name: re.compile(converter.regex) for name, converter in pattern.converters.items()}
    return converted or {name: re.compile(".*") for name in pattern.regex.groupindex}


def dead_links(templates: Iterable[Source]) -> list[str]:
    known = addresses()
    return [
        f"{template.path}: {said}"
        for template in templates
        for said, name, node in _links(template)
        if not any(_fits(address, node) for address in known.get(name or "", []))
    ]


def _links(template: Source) -> Iterator[tuple[str, str | None, URLNode]]:
    compiled: Any = engines["django"].from_string(template.text)
    for node in compiled.template.nodelist.get_nodes_by_type(URLNode):
        yield str(node.view_name), _literal(node.view_name), node


def _fits(address: Address, node: Any) -> bool:
    given = [_literal(argument) for argument in node.args]
    return address.takes(given, {name: _literal(argument) for name, argument in node.kwargs.items()})


def _literal(expression: FilterExpression) -> str | None:
    plain = isinstance(expression.var, str) and not expression.filters
    return str(expression.var) if plain else None


def templates() -> list[Source]:
    return [
        source
        for ending in ("html", "txt")
        for source in project_sources(*APPS, "config", ending=ending)
        if "templates" in source.parts
    ]


def test_every_link_of_every_template_resolves() -> None:
    assert dead_links(templates()) == []


def test_the_check_sees_every_link() -> None:
    seen = sum(1 for template in templates() for _link in _links(template))
    written = sum(len(re.findall(r"{%-?\s*url\s", template.text)) for template in templates())
    assert seen == written > 250


@pytest.mark.parametrize(
    "link",
    [
        '{% url "no_such_page" %}',
        '{% url "drive" %}',
        '{% url "drive" drive.slug drive.pk %}',
        '{% url "drive" other=drive.slug %}',
        '{% url "organizer_drive" "not-a-number" %}',
        "{% url somewhere %}",
        '{% if a %}{% for b in c %}{% url "no_such_page" as page %}{% endfor %}{% endif %}',
        '{% extends "site/base.html" %}{% block content %}{% url "no_such_page" %}{% endblock %}',
    ],
)
def test_control_a_dead_link_is_caught(link: str) -> None:
    assert len(dead_links([Source("drives/templates/page.html", link)])) == 1


@pytest.mark.parametrize(
    "link", ['{% url "drive" drive.slug %}', '{% url "drive" slug=drive.slug %}', '{% url "organizer_drive" 7 %}']
)
def test_a_working_link_is_not_reported(link: str) -> None:
    assert dead_links([Source("drives/templates/page.html", link)]) == []
