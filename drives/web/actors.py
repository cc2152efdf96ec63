"""Find the names of actors for history pages."""

from django.utils.translation import gettext as _

from organizations.models import ApiKey, User


def describe_actors(actors: set[str], organization_id: int) -> dict[str, str]:
    users = User.objects.filter(pk__in=_parse_ids(actors, "user:"))
    keys = ApiKey.objects.filter(organization=organization_id, pk__in=_parse_ids(actors, "key:"))
    return {
        "donor": _("the donor"),
        **dict.fromkeys(("worker", "system", "service"), _("the service")),
        "command": _("a command on the server"),
        **{f"user:{user.pk}": user.get_full_name() or user.email for user in users},
        **{f"key:{key.pk}": _("the key “%(name)s”") % {"name": key.name} for key in keys},
    }


def _parse_ids(actors: set[str], kind: str) -> list[int]:
    return [int(actor.removeprefix(kind)) for actor in actors if actor.startswith(kind)]
