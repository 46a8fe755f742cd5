"""EC2-Other, explained: which usage types it is made of, which functions cause it, and what would save how much.

choices    kinds of usage, how sure an amount is
kinds      what each kind is, and where to look for what is not in EC2-Other
seed       the mapping's first content
mapping    usage type -> kind, by dated rows
reading    the billed sums of a month and of the months before, by kind
network    what functions did: calls, cold starts, payload sizes
split      measured and allocated parts, exact
ways_out   what would save how much, with assumptions that can be changed
page       what the page, its CSV and the API show
"""
