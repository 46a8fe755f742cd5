"""Bills on their way in: recognise the format, read it exactly, store it so that a period told again is replaced.

sources        files, folders, gzip, zip, objects in S3: something on disk that can be read
layouts        which column of which format (FOCUS, CUR) means what
tables         CSV and parquet, streamed and summed by Polars, exact (`expressions`)
cost_explorer  its JSON answers
shapes         what a line of any bill is, once read: a `Bill` of sums by `Key`
scopes         which billing periods a bill tells of
store          writing it: what was known is displaced, rollups are made anew, one source counts
taking, waiting, undoing, pulling   what people, tools and the schedule do with bills
"""
