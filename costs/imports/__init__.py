"""Bills on their way in: recognise the format, read it exactly, store it so that a period told again is replaced.

shapes     what a line of any bill is, once read
layouts    which column of which format means what (focus, cur, monthly)
sources    files, gzip, zip, objects in S3: something on disk that can be read
tables     CSV and parquet, streamed and summed by Polars, exact
cost_explorer   its JSON answers
taking     read + store, one transaction, what changed
"""
