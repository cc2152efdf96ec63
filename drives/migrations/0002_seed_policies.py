"""The donation programs that every organization may choose from."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from drives.eligibility import policies


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    policies.seed_policies(apps.get_model("drives", "Policy"))


class Migration(migrations.Migration):
    dependencies = [("drives", "0001_initial")]

    # The reverse keeps the rows, because drives may refer to them. Running forward again finds them.
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
