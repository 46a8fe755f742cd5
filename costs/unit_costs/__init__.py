"""Cost per delivery over time: by carrier and by kind of work, with what cannot be attributed.

1. `shares` divides every finished invocation of a batch over its items, in the database, to the last digit, and adds them
   up by carrier and kind of work.
2. `rest` says what functions did beside batches on a day.
3. `refresh` keeps days and weeks up: counting one again gives the same rows.
4. `reading` is what pages and the API ask for.
"""
