"""Who books may say that it is for another person reached through the same contact."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("volunteers", "0002_codes_of_no_organization")]

    operations = [
        migrations.AddField(
            model_name="registration", name="for_other", field=models.BooleanField(db_default=False, default=False)
        )
    ]
