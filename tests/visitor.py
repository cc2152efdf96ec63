"""A browser without JavaScript. It opens pages, fills in their forms and follows redirects."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Protocol
from urllib.parse import urlencode, urljoin, urlsplit

Fields = list[tuple[str, str]]


@dataclass
class Form:
    """A form's fields as a browser would submit them unchanged, and the choices of each field."""

    action: str
    method: str
    fields: Fields = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    choices: dict[str, list[str]] = field(default_factory=dict)

    def filled(self, values: Mapping[str, str]) -> Fields:
        """Return the fields with these values. Fail if the form has no such field or does not offer the value."""
        assert values.keys() <= self.names, f"{self.action} has no field {values.keys() - self.names}"
        for name, value in values.items():
            assert value in self.choices.get(name, [value]), f"{name}={value} is not offered"
        return [(name, value) for name, value in self.fields if name not in values] + list(values.items())


@dataclass
class Page:
    status: int
    path: str
    html: str
    forms: list[Form]

    def form(self, ending: str) -> Form:
        """Return the form whose action URL ends with `ending`."""
        found = [form for form in self.forms if urlsplit(form.action).path.endswith(ending)]
        assert found, f"{self.path} ({self.status}) has no form to …{ending}: {[form.action for form in self.forms]}"
        return found[0]


class Reader(HTMLParser):
    """Collects the forms of a page, including fields outside a form that refer to it by id."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._by_id: dict[str, Form] = {}
        self._open: Form | None = None
        self._select = ""
        self._area: tuple[Form, str] | None = None
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "form":
            self._open = Form(urljoin(self._address, has.get("action") or ""), (has.get("method") or "get").lower())
            self.forms.append(self._open)
            self._by_id[has.get("id") or str(len(self.forms))] = self._open
            return
        form = self._by_id.get(has.get("form") or "", self._open)
        if form is not None:
            self._field(form, tag, has)
            if action := has.get("formaction"):
                # The button sends the fields of its form, also those that follow it, to another address.
                self.forms.append(replace(form, action=urljoin(self._address, action)))

    def _field(self, form: Form, tag: str, has: dict[str, str | None]) -> None:
        name, value = has.get("name") or "", has.get("value")
        if tag == "select":
            self._select = name
            form.names.add(name)
        elif tag == "option" and self._select:
            form.choices.setdefault(self._select, []).append(value or "")
            if "selected" in has:
                form.fields.append((self._select, value or ""))
        elif tag in {"input", "button", "textarea"} and name and "disabled" not in has:
            self._named(form, tag, name, value, has)

    def _named(self, form: Form, tag: str, name: str, value: str | None, has: dict[str, str | None]) -> None:
        form.names.add(name)
        kind = "button" if tag == "button" else has.get("type", "text")
        if kind in {"radio", "button", "submit"}:
            form.choices.setdefault(name, []).append(value or "")
        if tag == "textarea":
            self._area = form, name
        elif kind not in {"radio", "checkbox", "button", "submit"} or "checked" in has:
            form.fields.append((name, value if value is not None else ("on" if kind == "checkbox" else "")))

    def handle_data(self, data: str) -> None:
        if self._area:
            form, name = self._area
            form.fields.append((name, data.removeprefix("\n")))
            self._area = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = None


@dataclass
class Answer:
    """One response. Redirects are not followed."""

    status: int
    location: str
    body: bytes


class Connection(Protocol):
    def send(self, method: str, path: str, body: str) -> Answer: ...


class Visitor:
    """A browser without JavaScript. The connection keeps its cookies."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def open(self, path: str) -> Page:
        return self._go("GET", path)

    def submit(self, form: Form, **values: str) -> Page:
        """Send the form with these values and follow the redirects."""
        fields = urlencode(form.filled(values))
        if form.method == "get":
            return self._go("GET", f"{urlsplit(form.action).path}?{fields}")
        return self._go("POST", form.action, fields)

    def _go(self, method: str, path: str, body: str = "") -> Page:
        for _hop in range(5):
            answer = self.connection.send(method, path, body)
            if answer.status not in {301, 302, 303}:
                reader = Reader(path)
                html = answer.body.decode()
                reader.feed(html)
                return Page(answer.status, path, html, reader.forms)
            path, method, body = urljoin(path, answer.location), "GET", ""
        raise AssertionError(f"too many redirects, the last to {path}")
