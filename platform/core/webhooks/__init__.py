"""Webhooks out: tools subscribe to kinds of events, and we send them, signed, until they were taken.

1. `core.slots.webhook_events`: apps say which kinds of events there are, in their module `webhooks.py`.
2. `outbox.emit`: rows for every subscriber, written in the transaction of the change and only when somebody subscribes.
   No change is told of that was rolled back, and none is lost.
3. `sending`: a task takes up to 100 waiting events of one subscription, makes a delivery of them and posts it; what was
   not taken is tried again, later and later, for a day. A crash in between sends twice, never not at all.
4. `posting`, `addresses`, `signing`: one POST, to public addresses only, signed as carriers sign theirs to us.
5. `services`: what people and the API do to subscriptions. A subscription that fails 20 times in a row switches itself off.
"""

from core.webhooks.outbox import emit, emit_selected, subscribed

__all__ = ["emit", "emit_selected", "subscribed"]
