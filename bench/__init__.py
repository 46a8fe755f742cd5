"""`make bench`: what the batch engine costs and how fast it is, each time beside a peer in the same run."""
