from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("costs", "0005_ec2_other")]

    operations = [
        migrations.AlterField(
            model_name="price",
            name="checked_on",
            field=models.DateField(
                blank=True,
                help_text="empty: not yet held against AWS's price list; refresh_prices does that",
                null=True,
            ),
        ),
    ]
