"""What a programme's donors give, for the least times between donations of different kinds."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from drives import programmes


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    policies = apps.get_model("drives", "Policy")
    for row in programmes.known():
        if "kind" in row:
            policies._default_manager.filter(code=row["code"], version=row["version"]).update(kind=row["kind"])


class Migration(migrations.Migration):
    dependencies = [("drives", "0005_conversations_broadcasts_calls")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="kind",
            field=models.CharField(
                choices=[
                    ("plasma", "Plasma"),
                    ("whole_blood", "Whole blood"),
                    ("platelets", "Platelets"),
                    ("double_red_cells", "Double red cells"),
                ],
                default="plasma",
                max_length=20,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
