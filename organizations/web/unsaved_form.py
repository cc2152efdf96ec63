"""Keep what a member typed when their session ran out, and show it again after they signed in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

UNSAVED_FORM_KEY = "unsaved_form"  # session key
MAX_CHARACTERS = 100_000


def keep_unsaved_form(request: HttpRequest, user_id: int | None) -> bool:
    """Keep the posted fields in the visitor's session, and return whether it was done.

    `user_id` is the user whose session expired. Only that user sees the fields again. The fields of an unknown visitor
    are not kept: another member could see them, and strangers could fill the database with them.
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
    # It stays until the session ends, because a reload or a prefetch must not lose it.
    kept = request.session.get(UNSAVED_FORM_KEY)
    if kept is None or kept["user"] != request.user.pk:
        return redirect("/organizer/")
    shown = [value for _name, value in kept["fields"] if " " in value.strip()]
    return render(request, "organizations/unsaved_form.html", {**kept, "shown": shown})
