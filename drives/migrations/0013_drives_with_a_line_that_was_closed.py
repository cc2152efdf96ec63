from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("drives", "0012_one_index_for_each_question")]

    operations = [
        migrations.AddField("drive", "line_closed_at", models.DateTimeField(null=True, blank=True)),
    ]
