"""The list of deliveries: what is asked for (`asked`), in which order (`order`), shown how (`columns`, `table`).

An address such as `/deliveries/?status=on_hold&sort=-updated&columns=status` is read once into an `Asked`, and the
page, its CSV download, "next" and "previous" on the page of one delivery, and saved views all go on from that.
"""
