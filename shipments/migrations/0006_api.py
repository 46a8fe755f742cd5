"""Sync clients follow deliveries, documents and messages by `updated`, which the database itself keeps true."""

import django.db.models.functions.datetime
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

UPDATED = "moved by the database at every change; sync clients read by it"
# A delivery's writers say the moment themselves, for speed; this is for those who forget it. The condition is looked at
# without calling the function, so that it costs them nothing.
TRIGGERS = """
CREATE OR REPLACE FUNCTION shipments_note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated := clock_timestamp();
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER shipment_updated BEFORE UPDATE ON shipments_shipment FOR EACH ROW
    WHEN (OLD.updated IS NOT DISTINCT FROM NEW.updated AND OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION shipments_note_update();
CREATE OR REPLACE TRIGGER document_inserted BEFORE INSERT ON shipments_document FOR EACH ROW
    EXECUTE FUNCTION shipments_note_update();
CREATE OR REPLACE TRIGGER document_updated BEFORE UPDATE ON shipments_document FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION shipments_note_update();
CREATE OR REPLACE TRIGGER message_inserted BEFORE INSERT ON shipments_carriermessage FOR EACH ROW
    EXECUTE FUNCTION shipments_note_update();
CREATE OR REPLACE TRIGGER message_updated BEFORE UPDATE ON shipments_carriermessage FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION shipments_note_update();
"""
NO_TRIGGERS = """
DROP TRIGGER IF EXISTS shipment_updated ON shipments_shipment;
DROP TRIGGER IF EXISTS document_inserted ON shipments_document;
DROP TRIGGER IF EXISTS document_updated ON shipments_document;
DROP TRIGGER IF EXISTS message_inserted ON shipments_carriermessage;
DROP TRIGGER IF EXISTS message_updated ON shipments_carriermessage;
DROP FUNCTION IF EXISTS shipments_note_update();
"""


class Migration(migrations.Migration):
    atomic = False  # indexes are built without holding up who writes
    dependencies = [
        ("shipments", "0007_document_store"),
    ]

    operations = [
        migrations.AddField(
            model_name="document",
            name="updated",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), editable=False, help_text=UPDATED
            ),
        ),
        migrations.AddField(
            model_name="carriermessage",
            name="updated",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), editable=False, help_text=UPDATED
            ),
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
        AddIndexConcurrently(
            model_name="document", index=models.Index(fields=["updated", "id"], name="document_updated")
        ),
        AddIndexConcurrently(
            model_name="carriermessage", index=models.Index(fields=["updated", "id"], name="message_updated")
        ),
    ]
