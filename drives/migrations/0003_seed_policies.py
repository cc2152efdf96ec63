"""The donation programmes that every organization may choose from."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from drives import programmes


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    programmes.seed(apps.get_model("drives", "Policy"))


class Migration(migrations.Migration):
    dependencies = [("drives", "0002_initial")]

    # Going back leaves the rows: drives may hang on them. Going forward again finds them.
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
