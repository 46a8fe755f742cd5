"""Tracking events from carriers, as they come: signed, in any order, more than once.

1. `signing`: a carrier signs the moment and the body with the secret of its `CarrierHook`.
2. `intake.receive`: the raw body is kept as a `HookDelivery` before anything else; the same body again adds nothing.
3. `parsing`: the body is read into `Said` events, by our own envelope or by an adapter for one carrier (`adapters`); what
   cannot be read has a reason each. Pure: no database.
4. `storing`: events of known deliveries are written once (delivery, moment, code, text), with what their code means on
   their day, and `shipments.status.derive` brings the deliveries in line. The order in which they come plays no part.
5. Events of a tracking number that nobody knows yet wait in their `HookDelivery`; `intake.take_waiting` takes them over
   when the delivery has come.
"""

from shipments.events.intake import Taken, receive, take_waiting

__all__ = ["Taken", "receive", "take_waiting"]
