"""Should this be a Lambda? The same work elsewhere, with every assumption open.

`use`      what functions did: calls, load hour by hour, memory
`bill`     what the same calls would cost with another memory size or architecture
`servers`  the smallest always-on servers that hold the work, and how many
`answer`   all of it together for one function: what is cheapest, from how many calls a day on a server pays
`keep`     the same for every function with the usual assumptions, once a night
"""
