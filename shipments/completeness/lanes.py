"""What the words for lanes mean. ISO 3166 codes."""

from __future__ import annotations

from shipments.choices import Lane


def countries(text: str) -> frozenset[str]:
    """`GB, ch` (or with spaces between) as {"GB", "CH"}."""
    return frozenset(text.replace(",", " ").upper().split())


# Customs territory of the Union, by country (parts of countries outside of it are not told apart), with Monaco.
EU = countries("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MC MT NL PL PT RO SE SI SK")
# European countries bound by the convention on the contract for the carriage of goods by road (CMR).
ROAD = (EU - {"CY", "MC", "MT"}) | frozenset(
    ["AL", "BA", "BY", "CH", "GB", "LI", "MD", "ME", "MK", "NO", "RS", "TR", "UA"]
)


def on_lane(lane: str, origin: str, destination: str) -> bool:
    """Whether a delivery between these countries is on that lane. An unknown country is on none but "anywhere"."""
    if lane == Lane.ANY:
        return True
    if not origin or not destination:
        return False
    if lane == Lane.DOMESTIC:
        return origin == destination
    if lane == Lane.LEAVING_EU:
        return origin in EU and destination not in EU
    if lane == Lane.ENTERING_EU:
        return origin not in EU and destination in EU
    by_road = lane != Lane.BY_ROAD or (origin in ROAD and destination in ROAD)
    return origin != destination and by_road
