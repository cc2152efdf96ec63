"""Replies: what donors texted that no rule could answer; the thread, the bookings beside it, the answer."""

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

from drives.inbox import conversations, queries
from drives.messaging.texts import broadcasts, catalog
from drives.models import Conversation
from drives.web import form_errors, members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

ROWS_A_PAGE = 25
MOST_TYPED = 600


class AnswerForm(forms.Form):
    """An answer by text. The key is made with the page, so that a second tap sends nothing."""

    text = forms.CharField(
        label=gettext_lazy("Your answer"),
        max_length=MOST_TYPED,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Write an answer.")},
    )
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=32)


@require_safe
@accounts.role_required("view")
def replies(request: MemberRequest) -> HttpResponse:
    """Who waits for an answer, the longest first; with `all` also what is done."""
    organization, show_all = request.membership.organization, "all" in request.GET
    rows = queries.conversations(organization, waiting_only=not show_all)
    pages = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "pages": pages,
        "rows": queries.conversation_rows(organization, list(pages)),
        "show_all": show_all,
        "zone": queries.usual_zone(organization),
    }
    return members.page(request, "drives/inbox/replies.html", context)


@require_safe
@accounts.role_required("view")
def thread(request: MemberRequest, pk: int) -> HttpResponse:
    """One conversation with the donor's bookings beside it."""
    return _thread(request, _conversation(request, pk), _fresh_form())


@require_POST
@accounts.role_required("plan")
def answer(request: MemberRequest, pk: int) -> HttpResponse:
    """Send the answer; the conversation is done until the donor writes again."""
    conversation, form = _conversation(request, pk), AnswerForm(request.POST)
    if form.is_valid():
        try:
            conversations.answer(
                conversation_id=conversation.pk,
                **form.cleaned_data,
                actor=members.actor_of(request),
                now=timezone.now(),
            )
        except ValidationError as error:
            form_errors.refuse(form, error)
        else:
            messages.success(request, _("The answer is on its way."))
            return redirect("organizer_reply", conversation.pk)
    return _thread(request, conversation, form)


@require_POST
@accounts.role_required("plan")
def done(request: MemberRequest, pk: int) -> HttpResponse:
    """Nothing is to be answered."""
    conversations.mark_done(
        conversation_id=_conversation(request, pk).pk, actor=members.actor_of(request), now=timezone.now()
    )
    messages.success(request, _("Done. If they write again, it is back here."))
    return redirect("organizer_replies")


@require_POST
@accounts.role_required("plan")
def cancel_booking(request: MemberRequest, pk: int, booking_id: int) -> HttpResponse:
    """Give up the booking that the donor asked to cancel."""
    conversation = _conversation(request, pk)
    booking = members.booking_of(request, pk=booking_id, volunteer__phone__address=conversation.address)
    try:
        conversations.cancel_booking(
            conversation_id=conversation.pk, booking_id=booking.pk, actor=members.actor_of(request), now=timezone.now()
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The booking is cancelled. The donor is being told."))
    return redirect("organizer_reply", conversation.pk)


@require_http_methods(["POST"])
@accounts.role_required("plan")
def measure(request: MemberRequest) -> HttpResponse:
    """How long an answer is on a phone, for what is typed. Changes nothing."""
    return render(request, "drives/inbox/replies_length.html", _measured(request))


def _measured(request: MemberRequest) -> dict[str, Any]:
    typed = request.POST.get("text", "")[: 2 * MOST_TYPED]
    text = f"{request.membership.organization.sms_name}: {broadcasts.plain(typed)}"
    return {"text": text if typed.strip() else "", "measured": catalog.measure(text), "most": broadcasts.MOST_SEGMENTS}


def _conversation(request: MemberRequest, pk: int) -> Conversation:
    """A conversation of the member's own organization, or 404."""
    rows = Conversation.objects.of(request.membership.organization).select_related("organization")
    conversation = rows.filter(pk=pk).first()
    if conversation is None:
        raise Http404
    return conversation


def _fresh_form() -> AnswerForm:
    return AnswerForm(initial={"request_key": uuid.uuid4().hex})


def _thread(request: MemberRequest, conversation: Conversation, form: AnswerForm) -> HttpResponse:
    found = queries.thread(conversation, timezone.now())
    zone = found.bookings[0].booking.drive.site.timezone if found.bookings else None
    context = {
        "thread": found,
        "form": form,
        "zone": zone or queries.usual_zone(conversation.organization),
        **_measured(request),
    }
    return members.page(request, "drives/inbox/reply.html", context)
