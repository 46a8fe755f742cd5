"""Guardrails: what hurts is found by itself, and a function that runs away is stopped and brought back.

1. `facts` reads what functions did lately, for many at once.
2. `rules/`: each rule is one small class in a file of its own. It looks at the facts of one function and says what it
   found: how bad, with which numbers, and how much money is at stake. It writes nothing.
3. `evaluate` compares that with the findings on record: opens, updates, closes, opens again; tells tools and people.
   Hourly for all, within seconds after time-outs came in for their functions, and by `manage.py evaluate_findings`.
4. `snoozing`: people put a finding off, with a reason and until when.
5. `stop` and `restore`: `preview_…` says what a deed will do and changes nothing; the deed needs a permission and a
   reason, remembers what was there, and can be repeated until every step is done.
"""
