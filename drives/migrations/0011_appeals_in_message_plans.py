from django.db import migrations, models

KINDS = [
    ("booked", "Confirmation"),
    ("week", "Early reminder"),
    ("three_days", "Reminder, some days before"),
    ("day_before", "Reminder, the day before"),
    ("same_day", "Reminder on the day"),
    ("thank_you", "Thanks"),
    ("missed", "We missed you"),
    ("appeal", "You may give again"),
]


class Migration(migrations.Migration):
    dependencies = [("drives", "0010_bookings_together")]

    operations = [
        migrations.AlterField("planline", "kind", models.CharField(choices=KINDS, max_length=20)),
        migrations.RemoveConstraint("planline", "plan_line_kind_is_known"),
        migrations.AddConstraint(
            "planline",
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind for kind, _label in KINDS]), name="plan_line_kind_is_known"
            ),
        ),
    ]
