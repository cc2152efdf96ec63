"""The code reads every form field that is hand-written in a template."""

import re
from collections.abc import Iterable

from tests.architecture.sources import APPS, CODE, Source, project_sources

FIELD = re.compile(r"<(?:input|select|textarea|button)\b[^>]*?\bname=\"([a-z_]+)\"")


def unread_fields(templates: Iterable[Source], code: Iterable[Source]) -> list[str]:
    read = {name for source in code for name in re.findall(r"\b[a-z_]+\b", source.text)}
    return [
        f"{template.path}: {name}"
        for template in templates
        for name in FIELD.findall(template.text)
        if name not in read
    ]


def test_every_field_is_read() -> None:
    templates = project_sources(*CODE, ending="html")
    assert sum(len(FIELD.findall(template.text)) for template in templates) > 40
    assert unread_fields(templates, project_sources(*APPS, "config")) == []


def test_control_an_unread_field_is_caught() -> None:
    template = Source("drives/x.html", '<input type="radio" name="old_name"><button name="save">Save</button>')
    assert unread_fields([template], [Source("drives/x.py", 'if "save" in request.POST: pass')]) == [
        "drives/x.html: old_name"
    ]
