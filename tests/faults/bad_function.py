"""The function that the fault tests run. Each item says what goes wrong with it, and where to count what was done.

`calls` counts invocations, `done` the items whose work was done: one line each, appended as it happens, so that work
done twice shows however the answer travelled.
"""

import os
import time
from pathlib import Path
from typing import Any

COUNTS = Path(os.environ["COUNTS"])


def count(item: dict[str, Any], what: str, line: object) -> None:
    with (COUNTS / f"{item['run']}.{what}").open("a") as file:
        file.write(f"{line}\n")


def work(item: dict[str, Any]) -> dict[str, Any]:
    do = item["do"]
    time.sleep(item.get("seconds", 0))
    if do == "hang":
        time.sleep(600)
    if do == "die":
        os._exit(3)
    if do == "poison":
        raise ValueError("asked to spoil the whole chunk")
    if do == "error":
        error = {"type": "NotFound", "message": "asked to fail", "retryable": False}
        return {"id": item.get("id"), "ok": False, "error": error}
    count(item, "done", item["n"])
    value = {"n": item["n"]} | ({"text": "x" * 10_000_000} if do == "big" else {})
    return {"id": item.get("id"), "ok": True, "value": value}


def rubbish(items: list[dict[str, Any]], results: list[dict[str, Any]]) -> Any:
    """What is answered instead when an item asks for it."""
    kinds: dict[str, Any] = {
        "broken": b'{"version": 1, "results": [{"id": ',
        "text": "all done!",
        "null": None,
        "number": 1e400,
        "strange": {"version": 1, "results": {"item": "all"}},
        "foreign": {"version": 1, "results": [{"id": "nobody", "ok": True, "value": {}}, 7, None, {"ok": True}]},
    }
    asked = [kinds[item["kind"]] for item in items if item["do"] == "rubbish"]
    return asked[0] if asked else {"version": 1, "results": results, "unfinished": [], "stats": {}}


def handler(event: dict[str, Any], context: Any) -> Any:
    items = event["items"] if "version" in event else [event]
    count(items[0], "calls", context.aws_request_id)
    results = [work(item) for item in items]
    return rubbish(items, results) if "version" in event else results[0]
