"""What was estimated of a function's month against what was billed, with the known reasons apart from the unexplained rest.

choices   the reasons
pieces    one line of the bill taken apart: our price of its usage, and why the bill says another amount
estimated what telemetry says, by function and day
reckon    pieces and estimates put together by function: billed = estimated + reasons + rest, to the last digit
refresh   written by month, and who hears when the rest grows
page      what the page, its CSV and the API show
"""
