"""One way to tell people of something: inbox, e-mail and webhook, as each of them wants it.

    tell([user], topic="budget", severity="warning", subject="80 % of labels is spent", url="/costs/budgets/3/",
         key="budget:3:2026-11:80")

1. `kinds`: apps register what they tell of, and how people hear of it until they say otherwise.
2. `telling.tell`: the message and a delivery for each person and channel, in the transaction of what happened. The same key
   is told to a person once, for ever or within a window; repeats are counted in the log.
3. `quiet`: nobody is mailed in their quiet hours; what waited comes as one digest. Critical messages break through for
   people who said so.
4. `sending`: a task sends what is due, with a lease, later and later after failures, for a day. A crash in between sends
   twice, never not at all; the second mail has the Message-ID of the first.
"""

from core.notices.kinds import Kind, kind_of, kinds, register_kind
from core.notices.telling import tell

__all__ = ["Kind", "kind_of", "kinds", "register_kind", "tell"]
