"""Which documents a delivery lacks, since when, whose turn it is, and getting them.

1. `rules`: which `DocumentRule` speaks for a delivery; the more specific beats the general.
2. `expect`: the one pure function that says, from facts alone, what is expected and how it stands.
3. `refresh` brings the stored rows of some deliveries in line with it; `upkeep` decides for which deliveries, every ten
   seconds. How often, in which order and how much at once makes no difference to the outcome.
4. `work` turns chosen rows into work for the batch engine, `automatic` does so by itself.
5. `changes`: what people do to rules and rows; `preview` says before what a rule would do.
"""
