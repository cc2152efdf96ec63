"""The coordinator's inbox: the list of conversations, one conversation, and the answer form."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.booking import rules as booking_rules
from drives.inbox import conversations, queries
from drives.messaging import rules as messaging_rules
from drives.messaging.texts import broadcast_texts, wording
from drives.models import Conversation
from drives.web import choices, form_errors, members, time_zones
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

ROWS_PER_PAGE = 25
MAX_TYPED_LENGTH = 600


class AnswerForm(forms.Form):
    """An answer by text. Each page view has a new `request_key`, so that a second tap on the button sends nothing."""

    text = forms.CharField(
        label=gettext_lazy("Your answer"),
        max_length=MAX_TYPED_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Write your answer.")},
    )
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=32)


class UndoForm(forms.Form):
    """The reason for undoing an opt-out, for the audit log."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why are you undoing the opt-out?"),
        choices=[
            ("misread", gettext_lazy("The donor meant something else")),
            ("asked", gettext_lazy("The donor asked us to text them again")),
            ("other_person", gettext_lazy("Someone else sent the text")),
        ],
    )


@require_safe
@accounts.role_required("view")
def show_inbox(request: MemberRequest) -> HttpResponse:
    organization, show_all = request.membership.organization, "all" in request.GET
    rows = queries.list_conversations(organization, waiting_only=not show_all)
    pages = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "pages": pages,
        "rows": queries.load_conversation_rows(organization, list(pages)),
        "show_all": show_all,
        "zone": time_zones.find_zone(organization),
    }
    return members.render_member_page(request, "drives/inbox/conversations.html", context)


@require_safe
@accounts.role_required("view")
def show_conversation(request: MemberRequest, pk: int) -> HttpResponse:
    return _render_conversation(request, _get_conversation_or_404(request, pk), _build_answer_form())


@require_POST
@accounts.role_required("plan")
def answer_conversation(request: MemberRequest, pk: int) -> HttpResponse:
    conversation, form = _get_conversation_or_404(request, pk), AnswerForm(request.POST)
    if form.is_valid():
        try:
            conversations.send_answer(
                conversation_id=conversation.pk,
                **form.cleaned_data,
                actor=members.format_actor(request),
                now=timezone.now(),
            )
        except ValidationError as error:
            form_errors.add_refusal(form, error)
        else:
            messages.success(request, _("We’re sending your answer."))
            return redirect("organizer_conversation", conversation.pk)
    return _render_conversation(request, conversation, form)


@require_POST
@accounts.role_required("plan")
def finish_conversation(request: MemberRequest, pk: int) -> HttpResponse:
    conversations.close_conversation(
        conversation_id=_get_conversation_or_404(request, pk).pk,
        actor=members.format_actor(request),
        now=timezone.now(),
    )
    messages.success(request, _("Done. If the donor writes again, the conversation comes back here."))
    return redirect("organizer_replies")


@require_POST
@accounts.role_required("plan")
def decide_opt_out(request: MemberRequest, pk: int) -> HttpResponse:
    stops = choices.read_choice(request, "decision", ("stop", "keep")) == "stop"
    is_decided = conversations.decide_opt_out(
        conversation_id=_get_conversation_or_404(request, pk).pk,
        stops=stops,
        actor=members.format_actor(request),
        now=timezone.now(),
    )
    if not is_decided:
        messages.error(request, _("Someone else has already decided about this number."))
    elif stops:
        messages.success(request, _("Texts to this number have stopped. We’re letting the donor know."))
    else:
        messages.success(request, _("We’ll keep texting this number."))
    return redirect("organizer_conversation", pk)


@require_POST
@accounts.role_required("plan")
def undo_opt_out(request: MemberRequest, pk: int) -> HttpResponse:
    conversation, form = _get_conversation_or_404(request, pk), UndoForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why you’re undoing the opt-out."))
    elif conversations.undo_opt_out(
        conversation_id=conversation.pk,
        reason=form.cleaned_data["reason"],
        actor=members.format_actor(request),
        now=timezone.now(),
    ):
        messages.success(request, _("We’ll keep texting this number."))
    else:
        messages.error(request, _("Only the donor can undo this opt-out, by texting START."))
    return redirect("organizer_conversation", pk)


@require_POST
@accounts.role_required(booking_rules.get_permission(booking_rules.Act.CANCEL))
def cancel_conversation_booking(request: MemberRequest, pk: int, booking_id: int) -> HttpResponse:
    conversation = _get_conversation_or_404(request, pk)
    booking = members.get_booking_or_404(request, pk=booking_id, volunteer__phone__address=conversation.address)
    try:
        conversations.cancel_requested_booking(
            conversation_id=conversation.pk,
            booking_id=booking.pk,
            actor=members.format_actor(request),
            now=timezone.now(),
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The booking is cancelled. We’re letting the donor know."))
    return redirect("organizer_conversation", conversation.pk)


@require_http_methods(["POST"])
@accounts.role_required("plan")
def measure_answer(request: MemberRequest) -> HttpResponse:
    return render(request, "drives/inbox/reply_length.html", _measure_typed_text(request))


def _measure_typed_text(request: MemberRequest) -> dict[str, Any]:
    typed = request.POST.get("text", "")[: 2 * MAX_TYPED_LENGTH]
    text = f"{request.membership.organization.sms_name}: {broadcast_texts.format_plain_text(typed)}"
    return {
        "text": text if typed.strip() else "",
        "measured": wording.measure_text(text),
        "most": messaging_rules.MAX_BROADCAST_SEGMENTS,
    }


def _get_conversation_or_404(request: MemberRequest, pk: int) -> Conversation:
    rows = Conversation.objects.of(request.membership.organization).select_related("organization")
    conversation = rows.filter(pk=pk).first()
    if conversation is None:
        raise Http404
    return conversation


def _build_answer_form() -> AnswerForm:
    return AnswerForm(initial={"request_key": uuid.uuid4().hex})


def _render_conversation(request: MemberRequest, conversation: Conversation, form: AnswerForm) -> HttpResponse:
    thread = queries.load_thread(conversation, timezone.now())
    zone = thread.bookings[0].booking.drive.site.timezone if thread.bookings else None
    context = {
        "thread": thread,
        "form": form,
        "undo_form": UndoForm(),
        "zone": zone or time_zones.find_zone(conversation.organization),
        **_measure_typed_text(request),
    }
    return members.render_member_page(request, "drives/inbox/conversation.html", context)
