"""The network that asked for a code, hashed: it gets the code's place in a limit back when the code is entered."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("volunteers", "0004_erased_volunteers")]

    operations = [
        migrations.AddField(
            model_name="proofcode",
            name="network",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        )
    ]
