"""Show a donor's consents and opt-outs to coordinators."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from drives.web import actors
from notifications import queries as notifications_queries
from notifications.models import ConsentEntry
from volunteers import queries as volunteers_queries
from volunteers.models import Volunteer


@dataclass(frozen=True)
class LedgerRow:
    entry: ConsentEntry
    actor: str

    @property
    def language(self) -> str:
        """Return the language of a consent's wording, or "" if it is not one of our texts.

        For example, a coordinator types the wording for an import, and a withdrawal may quote the donor's own text.
        """
        is_ours = self.entry.given and self.entry.source != "import"
        return self.entry.wording_version.rpartition("-")[2] if is_ours else ""

    @property
    def source(self) -> str:
        labels = {
            "online": _("web page"),
            "page": _("web page"),
            "api": _("API"),
            "coordinator": _("coordinator"),
            "text": _("by text"),
            "link": _("link in a message"),
            "import": _("imported file"),
            "one_click": _("unsubscribe button in the mail app"),
        }
        return labels.get(self.entry.source, self.entry.source)


def load_consent_ledger(person: Volunteer) -> list[LedgerRow]:
    entries = notifications_queries.list_consent_entries(
        person.organization, volunteers_queries.list_volunteer_addresses(person)
    )
    names = actors.describe_actors({entry.actor for entry in entries}, person.organization_id)
    return [LedgerRow(entry, names.get(entry.actor, entry.actor)) for entry in entries]
