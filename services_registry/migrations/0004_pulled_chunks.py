"""Chunks are pulled by the workers now; a batch knows whether its function takes the batch envelope."""

from django.db import migrations, models

PLAIN = "UPDATE services_registry_batch SET envelope = false WHERE capability = ''"


class Migration(migrations.Migration):
    dependencies = [("services_registry", "0003_fill_batches")]

    operations = [
        migrations.RemoveField(model_name="chunk", name="dispatched"),
        migrations.AddField(
            model_name="batch",
            name="envelope",
            field=models.BooleanField(
                default=True, help_text="whether its function takes many items at once, in the batch envelope"
            ),
        ),
        migrations.RunSQL(PLAIN, migrations.RunSQL.noop),
    ]
