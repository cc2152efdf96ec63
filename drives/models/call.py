"""Phone calls to donors that no message reached."""

from django.db import models

from drives.models.booking import Booking


class Call(models.Model):
    """A phone call to a donor because a message could not be delivered.

    `topic` is the message's key without its channel.
    """

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="calls")
    topic = models.CharField(max_length=120)
    actor = models.CharField(max_length=60)
    reached_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["booking", "topic"], name="one_call_per_booking_and_topic")]

    def __str__(self) -> str:
        return f"call about {self.topic}"
