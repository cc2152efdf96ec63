"""Pages for message texts, default or custom, with a preview and the cost."""

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

from drives.messaging import message_samples, rules, schedule, schedule_settings
from drives.messaging.forms import CustomTextForm
from drives.messaging.message_samples import RenderedSample
from drives.messaging.texts import booking_texts, wording
from drives.messaging.texts.wording import TextTemplate
from drives.web import form_errors, members
from notifications.message_content import MessageContent
from organizations.models import Organization
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@dataclass(frozen=True)
class TextLanguage:
    code: str
    name: str
    is_custom: bool
    text: str


def list_text_kinds(organization: Organization) -> list[dict[str, Any]]:
    custom = schedule.load_custom_texts([organization.pk])[organization.pk]
    return [
        {
            "kind": kind,
            "label": text_kind.label,
            "languages": [_language(kind, code, custom) for code in dict(settings.LANGUAGES)],
        }
        for kind, text_kind in wording.TEXTS.items()
    ]


def _language(kind: str, code: str, custom: wording.CustomTexts) -> TextLanguage:
    template = custom.get((kind, code), TextTemplate())
    text = template.text or booking_texts.call_in_language(code, lambda: wording.build_default_text(kind).text)
    return TextLanguage(code, str(dict(settings.LANGUAGES)[code]), template != TextTemplate(), text)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def edit_custom_text(request: MemberRequest, kind: str, language: str) -> HttpResponse:
    editor = CustomTextEditor(request, kind, language)
    if request.method == "POST" and editor.is_valid():
        if "save" in request.POST and editor.save():
            messages.success(request, _("Your text is saved. We’ll use it in messages from now on."))
            return redirect("organizer_messages")
        if "test" in request.POST:
            editor.send_test()
            messages.success(request, _("We’re sending a test to %(address)s.") % {"address": request.user.email})
    return members.render_member_page(request, "drives/messaging/custom_text.html", editor.context)


@require_POST
@accounts.role_required("plan")
def preview_custom_text(request: MemberRequest, kind: str, language: str) -> HttpResponse:
    editor = CustomTextEditor(request, kind, language)
    editor.is_valid()
    return render(request, "drives/messaging/custom_text_preview.html", editor.context)


class CustomTextEditor:
    def __init__(self, request: MemberRequest, kind: str, language: str) -> None:
        if kind not in wording.TEXTS or language not in dict(settings.LANGUAGES):
            raise Http404
        self.request, self.kind, self.language = request, kind, language
        self.organization, self.now = request.membership.organization, timezone.now()
        self.default = booking_texts.call_in_language(language, lambda: wording.build_default_text(kind))
        custom = schedule.load_custom_texts([self.organization.pk])[self.organization.pk]
        self.saved = custom.get((kind, language), TextTemplate())
        self.form = CustomTextForm(self._typed_data(), initial=self._initial())

    def is_valid(self) -> bool:
        if not self.form.is_valid():
            return False
        try:
            schedule_settings.refuse_custom_text(self.organization, self.kind, self.language, self.typed)
        except ValidationError as error:
            form_errors.add_refusal(self.form, error)
        return self.form.is_valid()

    def save(self) -> bool:
        try:
            schedule_settings.change_custom_text(
                organization=self.organization,
                kind=self.kind,
                language=self.language,
                custom_text=self.typed,
                version=self.form.cleaned_data["version"],
                actor=members.format_actor(self.request),
                now=self.now,
            )
        except ValidationError as error:
            form_errors.add_refusal(self.form, error)
            return False
        return True

    def send_test(self) -> None:
        schedule_settings.queue_test_message(
            organization=self.organization,
            address=self.request.user.email,
            contents=_build_test_emails(self.sample),
            key=f"{self.request.user.pk}/{_build_test_key(self.kind, self.language, self.typed, self.now)}",
            language=self.language,
            now=self.now,
        )

    @property
    def typed(self) -> TextTemplate:
        typed = self.form.build_template(self.default) if self.form.is_bound else self.saved
        return TextTemplate(wording.clean_text(typed.text), wording.clean_text(typed.opening))

    @property
    def sample(self) -> RenderedSample:
        return message_samples.render_sample(
            message_samples.choose_sample_drive(self.organization, self.now), self.kind, self.language, self.typed
        )

    @property
    def context(self) -> dict[str, Any]:
        known = wording.TEXTS[self.kind].variables
        return {
            "form": self.form,
            "kind": self.kind,
            "label": wording.TEXTS[self.kind].label,
            "language": self.language,
            "languages": list(settings.LANGUAGES),
            "sample": self.sample,
            "is_custom": self.saved != TextTemplate(),
            "known": [f"{{{name}}}" for name in known],
            "further": [f"{{{name}}}" for name in wording.OPENING_VARIABLES],
            "most": rules.MAX_CUSTOM_TEXT_SEGMENTS,
            "organization": self.organization,
        }

    def _initial(self) -> dict[str, str]:
        shown = {name: getattr(self.saved, name) or getattr(self.default, name) for name in ("text", "opening")}
        return {**shown, "version": wording.compute_text_version(self.saved)}

    def _typed_data(self) -> Any:
        if self.request.method != "POST" or "ours" not in self.request.POST:
            return self.request.POST or None
        data = self.request.POST.copy()
        data["text"], data["opening"] = self.default.text, self.default.opening
        return data


def _build_test_emails(rendered: RenderedSample) -> Sequence[MessageContent]:
    text = MessageContent(text=rendered.text, subject=_("Text message test"))
    return text, replace(rendered.email, subject=_("Test: %(subject)s") % {"subject": rendered.email.subject})


def _build_test_key(kind: str, language: str, custom_text: TextTemplate, now: datetime) -> str:
    """Build the key of a test message. The key stays the same for a minute, so a second tap queues nothing."""
    typed = repr((kind, language, custom_text, now.strftime("%Y-%m-%d %H:%M")))
    return blake2s(typed.encode(), digest_size=8).hexdigest()
