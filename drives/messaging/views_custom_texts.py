"""The words of messages: ours, or an organization's own, with a preview and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2s
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from drives.messaging import message_samples, schedule, schedule_settings
from drives.messaging.forms import CustomTextForm
from drives.messaging.message_samples import RenderedSample
from drives.messaging.texts import booking_texts, catalog
from drives.messaging.texts.catalog import TextTemplate
from drives.web import form_errors, members
from notifications.message_content import MessageContent
from organizations.models import Organization
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@dataclass(frozen=True)
class TextLanguage:
    """One language of a kind on the overview: whether the words are the organization's own, how they begin."""

    code: str
    name: str
    is_custom: bool
    text: str


def list_text_kinds(organization: Organization) -> list[dict[str, Any]]:
    """Every kind of message with its words in each language. One query."""
    own = schedule.load_custom_texts([organization.pk])[organization.pk]
    return [
        {
            "kind": kind,
            "label": words.label,
            "languages": [_language(kind, code, own) for code in dict(settings.LANGUAGES)],
        }
        for kind, words in catalog.TEXTS.items()
    ]


def _language(kind: str, code: str, custom: catalog.CustomTexts) -> TextLanguage:
    words = custom.get((kind, code), TextTemplate())
    text = words.text or booking_texts.call_in_language(code, lambda: catalog.build_default_text(kind).text)
    return TextLanguage(code, str(dict(settings.LANGUAGES)[code]), words != TextTemplate(), text)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def edit_custom_text(request: MemberRequest, kind: str, language: str) -> HttpResponse:
    """Change the words of one kind in one language; look at them, or have them mailed, before they are kept."""
    editor = CustomTextEditor(request, kind, language)
    if request.method == "POST" and editor.is_valid():
        if "save" in request.POST and editor.save():
            messages.success(request, _("The words are saved. Messages that are not yet written use them."))
            return redirect("organizer_messages")
        if "test" in request.POST:
            editor.send_test()
            messages.success(request, _("A test is on its way to %(address)s.") % {"address": request.user.email})
    return members.render_member_page(request, "drives/messaging/custom_text.html", editor.context)


@require_POST
@accounts.role_required("plan")
def preview_custom_text(request: MemberRequest, kind: str, language: str) -> HttpResponse:
    """The part of the page that shows how the typed words read. Changes nothing."""
    editor = CustomTextEditor(request, kind, language)
    editor.is_valid()
    return render(request, "drives/messaging/custom_text_preview.html", editor.context)


class CustomTextEditor:
    """The words on one page: ours, those that are kept, those that are typed."""

    def __init__(self, request: MemberRequest, kind: str, language: str) -> None:
        if kind not in catalog.TEXTS or language not in dict(settings.LANGUAGES):
            raise Http404
        self.request, self.kind, self.language = request, kind, language
        self.organization, self.now = request.membership.organization, timezone.now()
        self.ours = booking_texts.call_in_language(language, lambda: catalog.build_default_text(kind))
        own = schedule.load_custom_texts([self.organization.pk])[self.organization.pk]
        self.kept = own.get((kind, language), TextTemplate())
        self.form = CustomTextForm(self._typed_data(), initial=self._initial())

    def is_valid(self) -> bool:
        """Whether the words may be kept; what is wrong stands in the form."""
        if not self.form.is_valid():
            return False
        try:
            schedule_settings.refuse_custom_text(self.organization, self.kind, self.language, self.words)
        except ValidationError as error:
            form_errors.add_refusal(self.form, error)
        return self.form.is_valid()

    def save(self) -> bool:
        """Keep the words; False when somebody else was quicker."""
        try:
            schedule_settings.change_custom_text(
                organization=self.organization,
                kind=self.kind,
                language=self.language,
                custom_text=self.words,
                version=self.form.cleaned_data["version"],
                actor=members.format_actor(self.request),
                now=self.now,
            )
        except ValidationError as error:
            form_errors.add_refusal(self.form, error)
            return False
        return True

    def send_test(self) -> None:
        """Mail the text and the e-mail to who is signed in."""
        schedule_settings.queue_test_message(
            organization=self.organization,
            address=self.request.user.email,
            wordings=_build_test_emails(self.heard),
            key=f"{self.request.user.pk}/{_digest(self.kind, self.language, self.words, self.now)}",
            language=self.language,
            now=self.now,
        )

    @property
    def words(self) -> TextTemplate:
        """What is typed, or kept; blank where it is ours."""
        typed = self.form.words(self.ours) if self.form.is_bound else self.kept
        return TextTemplate(catalog.clean_text(typed.text), catalog.clean_text(typed.opening))

    @property
    def heard(self) -> RenderedSample:
        return message_samples.render_sample(
            message_samples.choose_sample_drive(self.organization, self.now), self.kind, self.language, self.words
        )

    @property
    def context(self) -> dict[str, Any]:
        """What the page and its preview show."""
        known = catalog.TEXTS[self.kind].knows
        return {
            "form": self.form,
            "kind": self.kind,
            "label": catalog.TEXTS[self.kind].label,
            "language": self.language,
            "languages": list(settings.LANGUAGES),
            "heard": self.heard,
            "is_custom": self.kept != TextTemplate(),
            "known": [f"{{{name}}}" for name in known],
            "further": [f"{{{name}}}" for name in catalog.OPENING_VARIABLES],
            "most": catalog.MAX_SEGMENTS,
            "organization": self.organization,
        }

    def _initial(self) -> dict[str, str]:
        shown = {name: getattr(self.kept, name) or getattr(self.ours, name) for name in ("text", "opening")}
        return {**shown, "version": catalog.compute_text_version(self.kept)}

    def _typed_data(self) -> Any:
        """What was sent; after "use our words again" ours, so that they are seen before they are saved."""
        if self.request.method != "POST" or "ours" not in self.request.POST:
            return self.request.POST or None
        data = self.request.POST.copy()
        data["text"], data["opening"] = self.ours.text, self.ours.opening
        return data


def _build_test_emails(rendered: RenderedSample) -> Sequence[MessageContent]:
    """The text message as a mail, and the e-mail as it is; both marked as a test."""
    text = MessageContent(text=rendered.text, subject=_("Test of a text message"))
    return text, replace(rendered.mail, subject=_("Test: %(subject)s") % {"subject": rendered.mail.subject})


def _digest(kind: str, language: str, custom_text: TextTemplate, now: datetime) -> str:
    """The same words within a minute are the same test."""
    typed = repr((kind, language, custom_text, now.strftime("%Y-%m-%d %H:%M")))
    return blake2s(typed.encode(), digest_size=8).hexdigest()
