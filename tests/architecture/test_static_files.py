"""Every `{% static %}` in every template names a file that exists."""

import re
from collections.abc import Iterable

from django.contrib.staticfiles import finders

from tests.architecture.sources import CODE, Source, project_sources

STATIC = re.compile(r"\{% static ['\"]([^'\"]+)['\"]")


def missing_files(templates: Iterable[Source]) -> list[str]:
    return [
        f"{template.path}: {name}"
        for template in templates
        for name in STATIC.findall(template.text)
        if finders.find(name) is None
    ]


def test_every_static_file_exists() -> None:
    templates = project_sources(*CODE, ending="html")
    assert any(STATIC.search(template.text) for template in templates)
    assert missing_files(templates) == []


def test_control_a_missing_file_is_caught() -> None:
    seeded = Source("drives/x.html", "{% static 'site/site.css' %} {% static \"site/gone.js\" %}")
    assert missing_files([seeded]) == ["drives/x.html: site/gone.js"]
