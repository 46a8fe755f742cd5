"""Budgets: so much a month for a capability, an owner, an account or everything.

`spending`  what of it is spent, and what the month will come to
`services`  what people and the API do to budgets
`watching`  who is told when a threshold is passed: once for each budget, month and threshold
"""
