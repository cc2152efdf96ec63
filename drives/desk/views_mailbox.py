"""Actions for a mailbox that refuses mail: try it again, or correct the address."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from drives.desk import mailboxes, views_people
from drives.web import members, redirects
from notifications import mailboxes as notifications_mailboxes
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_POST
@accounts.role_required("plan")
def try_mailbox_again(request: MemberRequest, pk: int) -> HttpResponse:
    person = views_people.get_person_or_404(request, pk)
    if person.email:
        notifications_mailboxes.try_mailbox_again(
            organization=person.organization,
            address=person.email.address,
            about=f"volunteer:{person.pk}",
            actor=members.format_actor(request),
            now=timezone.now(),
        )
        messages.success(
            request,
            _("We’ll send the next e-mail to this address. If that one is rejected, too, we’ll stop sending."),
        )
    return redirects.redirect_after_post("organizer_person", pk)


@require_POST
@accounts.role_required("plan")
def correct_email(request: MemberRequest, pk: int) -> HttpResponse:
    person, form = views_people.get_person_or_404(request, pk), views_people.CorrectEmailForm(request.POST)
    if form.is_valid():
        try:
            mailboxes.correct_email(
                person=person,
                email=form.cleaned_data["email"],
                actor=members.format_actor(request),
                now=timezone.now(),
            )
        except ValidationError as refusal:
            form.add_error("email", refusal)
    if form.errors:
        return views_people.render_person(request, pk, email_form=form)
    messages.success(request, _("E-mail address corrected. E-mails that are not sent yet will go to the new address."))
    return redirects.redirect_after_post("organizer_person", pk)
