"""Carriers' servers: what lies there, what became of it, and how each connection stands.

The network is the function's alone (`shipments/functions/fetch_documents`); here only state is kept.

1. `sweeps`: which connections are due; each gets a batch of one listing, so that a slow carrier delays only itself.
2. `listing`: a listing becomes rows of `RemoteFile`. Unchanged over two listings: it is whole and may be fetched.
3. `fetching`: the waiting files as a batch; each is stored, matched to its delivery (`matching`), or kept for review.
4. `cleaning`: only what is safely kept is deleted or moved on the server, in a step of its own.
5. `health`: sessions at once, failures in a row, when a carrier is left alone and tried again; `words` says it plainly.
6. `control`: what people do: pause, resume, close, retry, release, pin a key. `asking`: trying a connection now.
"""
