from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("drives", "0013_drives_with_a_line_that_was_closed")]

    operations = [
        # With a default of the database too: programs of the version before write drives without these.
        migrations.AddField("drive", "description_es", models.TextField(blank=True, default="", db_default="")),
        migrations.AddField(
            "drive", "bring_es", models.CharField(max_length=200, blank=True, default="", db_default="")
        ),
    ]
