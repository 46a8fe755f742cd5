"""The monthly report: one page for whoever decides, and the tables behind it, as PDF.

`figures`  the numbers of one month
`picture`  the days of the month as a drawing
`making`   the PDF, printed by the function that prints documents, and kept
`mailing`  on the 1st: made and told to those who want it
"""
