"""Lambda: what carriers wrote -> status, reason, language; one item is one carrier message."""

from typing import Any

from shipments.functions.classify_messages.classifier import classify_item
from shipments.functions.runtime.batch import batch_handler
from shipments.functions.runtime.envelope import Context, Item


def _classify(item: Item, context: Context, shared: None) -> dict[str, Any]:
    return classify_item(item)


handler = batch_handler(_classify, floor_s=0.5)
