"""Bookings that were made together; the index covers no row yet, so that it is made at once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("drives", "0009_drives_stricter_than_their_policy")]

    operations = [
        migrations.AddField(model_name="booking", name="party", field=models.UUIDField(blank=True, null=True)),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("party__isnull", False)), fields=["party"], name="booking_of_a_party"
            ),
        ),
    ]
