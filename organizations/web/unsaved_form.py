"""Keep the fields of a form that a member sends after their session has expired, and show them after sign-in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

UNSAVED_FORM_KEY = "unsaved_form"  # session key
MAX_CHARACTERS = 100_000


def keep_unsaved_form(request: HttpRequest, user_id: int | None) -> bool:
    """Keep the posted fields in the browser's session. Return whether they were kept.

    `user_id` is the user of the expired session. Only this user sees the fields again. Without a user, the fields are
    not kept, because another member could see them, and strangers could fill the database.
    """
    if user_id is None or request.method != "POST" or request.headers.get("HX-Request"):
        return False
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken" and "password" not in name
    ]
    if not fields or sum(len(name) + len(value) for name, value in fields) > MAX_CHARACTERS:
        return False
    request.session[UNSAVED_FORM_KEY] = {"user": user_id, "action": request.get_full_path(), "fields": fields}
    return True


@never_cache
@login_required
@require_safe
def show_unsaved_form(request: HttpRequest) -> HttpResponse:
    # Keep the fields until the session ends, because a reload or a prefetch must not lose them.
    kept = request.session.get(UNSAVED_FORM_KEY)
    if kept is None or kept["user"] != request.user.pk:
        return redirect("/organizer/")
    shown = [value for _name, value in kept["fields"] if " " in value.strip()]
    return render(request, "organizations/unsaved_form.html", {**kept, "shown": shown})
