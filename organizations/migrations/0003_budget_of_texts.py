from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('organizations', '0002_price_of_a_text'),
    ]

    operations = [
        migrations.AddField(
            model_name='organization',
            name='messages_per_day',
            field=models.PositiveIntegerField(default=2000),
        ),
    ]
