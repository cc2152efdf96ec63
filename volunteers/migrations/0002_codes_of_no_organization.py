from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):

    dependencies = [
        ('organizations', '0003_budget_of_texts'),
        ('volunteers', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='proofcode',
            name='organization',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='proof_codes', to='organizations.organization'),
        ),
        migrations.AddIndex(
            model_name='proofcode',
            index=models.Index(condition=models.Q(('code_hash', '')), fields=['id'], name='proof_code_to_send'),
        ),
    ]
