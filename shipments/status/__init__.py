"""What state a delivery is in, and how that is known.

1. `meaning`: a carrier's code means a status and a reason, by dated rows that people change (`CodeMapping`). Events are
   stored with what their code meant on their day; a code that no row knows is stored as not mapped.
2. `derive`: the events of a delivery, and the messages applied to it, give its status by one pure function, `status_of`;
   `derive(shipment_ids)` applies it to many deliveries at once. Whoever stores events calls it afterwards.
3. `backlog`: the codes that nobody has mapped yet, with how many deliveries wait on each (`UnmappedCode`).
4. `changes`: a mapping is made, changed or taken back; `preview` says what that would change, and `remap` goes over the
   history in chunks and changes it.
5. `ageing`: deliveries of which nothing was heard for long get another status by rule.
6. `seed`: the first content of all that, with its sources.
"""

from shipments.status.derive import Derived, Happening, derive, status_of
from shipments.status.meaning import Codebook, Meaning, look_up

__all__ = ["Codebook", "Derived", "Happening", "Meaning", "derive", "look_up", "status_of"]
