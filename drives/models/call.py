from django.db import models
from django.db.models import Q

from drives.models.booking import Booking
from drives.models.waitlist import WaitlistEntry


class Call(models.Model):
    """A phone call to a donor about a booking or a waitlist entry.

    `topic` is the key of the undelivered message without its channel.
    """

    booking = models.ForeignKey(
        Booking, on_delete=models.CASCADE, null=True, blank=True, related_name="calls", db_index=False
    )
    entry = models.ForeignKey(
        WaitlistEntry, on_delete=models.CASCADE, null=True, blank=True, related_name="calls", db_index=False
    )
    topic = models.CharField(max_length=120)
    actor = models.CharField(max_length=60)
    reached_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["booking", "topic"], name="one_call_per_booking_and_topic"),
            models.UniqueConstraint(fields=["entry", "topic"], name="one_call_per_entry_and_topic"),
            models.CheckConstraint(
                condition=Q(booking__isnull=False, entry__isnull=True) | Q(booking__isnull=True, entry__isnull=False),
                name="call_is_about_a_booking_or_an_entry",
            ),
        ]

    def __str__(self) -> str:
        return f"call about {self.topic}"

    @property
    def about(self) -> str:
        return f"booking:{self.booking_id}" if self.booking_id else f"waitlist:{self.entry_id}"
