"""`python -m embedded up`: the whole stack in the foreground until Ctrl-C."""

import argparse
import json
import os
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from embedded.errors import StackError, file_sentences
from embedded.stack import ROOT, SERVERS, Options, Stack
from embedded.supervisor import StopRequestedError
from embedded.terminal import Terminal


class StopWish:
    """Whether somebody wants the stack to stop: a signal, or stdin closed when that was asked for."""

    def __init__(self, *, until_eof: bool) -> None:
        self._until_eof = until_eof
        self._signals = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._count)

    def _count(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def stop(self) -> bool:
        if self._until_eof and self._signals == 0 and select.select([0], [], [], 0)[0] and not os.read(0, 4096):
            self._signals = 1
        return self._signals > 0

    def hurry(self) -> bool:
        """A second Ctrl-C: do not wait for anybody."""
        return self._signals > 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 after a stop that was asked for, 1 when the stack failed, 2 for a wrong command line."""
    given = _arguments(arguments)
    terminal = Terminal(sys.stderr if given.ready_json else sys.stdout)
    wish = StopWish(until_eof=given.until_eof)
    stack: Stack | None = None
    status = 0
    try:
        with file_sentences(given.var):
            stack = Stack(_options(given), terminal, wish.stop)
            stack.start()
        _say_ready(stack, terminal, as_json=given.ready_json)
        stack.supervisor.watch_for_ever()
    except StopRequestedError:
        terminal.say()
        terminal.say("Stopping", "wait")
    except StackError as error:
        terminal.say(str(error), "warn")
        status = 1
    finally:
        if stack is not None:
            stack.stop(wish.hurry)
    if status == 0:
        terminal.say("Stopped; the data stays.", "ok")
    return status


def _options(given: argparse.Namespace) -> Options:
    extra: Path | None = given.extra_files
    if extra is not None and not extra.is_dir():
        raise StackError(f"--extra-files names {extra}, which is not a folder.")
    return Options(given.var, given.port, given.only, extra.resolve() if extra else None, not given.no_sample)


def _say_ready(stack: Stack, terminal: Terminal, *, as_json: bool) -> None:
    if stack.url:
        terminal.say()
        terminal.say(f"Open {stack.url}")
        for login in stack.logins():
            terminal.say(f"    {login.get('username', ''):<12} {login.get('password', ''):<24} {login.get('role', '')}")
    terminal.say("Ctrl-C stops everything. Logs are in " + str(stack.data / "log"))
    if as_json:
        sys.stdout.write(json.dumps({"env": stack.env, "url": stack.url}) + "\n")
        sys.stdout.flush()


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="embedded", description="The whole platform on this machine, without a cloud."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything and stay in the foreground until Ctrl-C")
    up.add_argument("--var", type=Path, default=Path(os.environ.get("DASH_VAR") or ROOT / "var"), help="data folder")
    up.add_argument("--port", type=_port, default=_port_from_environment(parser), help="web port; 0 picks a free one")
    up.add_argument("--only", type=_only, default=(), help=f"comma-separated, of {', '.join(SERVERS)}; no web side")
    up.add_argument("--ready-json", action="store_true", help="one JSON line on stdout when ready, the rest on stderr")
    up.add_argument("--until-eof", action="store_true", help="stop when stdin is closed")
    up.add_argument("--extra-files", type=Path, help="a folder whose files the carrier stand-in serves as they are")
    up.add_argument("--no-sample", action="store_true", help="without sample data")
    return parser.parse_args(arguments)


def _port_from_environment(parser: argparse.ArgumentParser) -> int:
    try:
        return _port(os.environ.get("PORT") or "8000")
    except argparse.ArgumentTypeError as error:
        parser.error(f"PORT: {error}")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _only(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if unknown := set(names) - set(SERVERS):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; choose of {', '.join(SERVERS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
