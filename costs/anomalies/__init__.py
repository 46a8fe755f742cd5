"""Days that cost far from the usual: found, taken apart to the last digit, told once.

`band`   what is usual for a weekday
`parts`  what a difference consists of: calls, failed calls, time-outs, cold starts, duration, memory, price
`bills`  the same of billed services, by usage type
`finding`  looks at finished days, keeps what is unusual, and tells people
`services` what people and the API do to an anomaly
"""
