"""`python -m embedded.carrier serve|seed`: run the stand-in, or put documents on it."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import sys
import threading
from pathlib import Path

from embedded.carrier import ftp, sftp, stock
from embedded.carrier.certificate import certificate
from embedded.folders import write_private
from embedded.ports import free_port

USERNAME = "platform"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m embedded.carrier")
    commands = parser.add_subparsers(required=True, dest="command")
    serve = commands.add_parser("serve")
    serve.add_argument("--data", type=Path, required=True)
    for name in stock.PROTOCOLS:
        serve.add_argument(f"--{name}", type=int, default=0, help="port; 0 takes a free one")
    serve.add_argument("--extra", type=Path, help="files served as they are, over each protocol")
    seed = commands.add_parser("seed")
    seed.add_argument("--data", type=Path, required=True)
    seed.add_argument("--file", type=Path, required=True, help='{"ftp": [tracking numbers], ...}')
    seed.add_argument("--late", type=float, default=stock.LATE_S, help="seconds until the late ones appear")
    options = parser.parse_args()
    if options.command == "seed":
        print(json.dumps(stock.seed(options.data, json.loads(options.file.read_text()), options.late)))  # noqa: T201  # the answer
        return 0
    return _serve(options)


def _serve(options: argparse.Namespace) -> int:
    data: Path = options.data
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = _password(data)
    for protocol in stock.PROTOCOLS:
        folder = data / protocol / stock.FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(options.extra.iterdir()) if options.extra else []:
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
    ports = {name: getattr(options, name) or free_port() for name in stock.PROTOCOLS}
    pem_file, pem = certificate(data)
    key = sftp.host_key(data)
    try:
        ftp.serve(data / "ftp", ports["ftp"], username=USERNAME, password=password)
        ftp.serve(data / "ftps", ports["ftps"], username=USERNAME, password=password, certificate=pem_file)
        sftp.serve(data / "sftp", ports["sftp"], username=USERNAME, password=password, key=key)
    except OSError as error:
        print(f"The carrier stand-in cannot listen on {ports}: {error}", file=sys.stderr)  # noqa: T201  # its log
        return 1
    facts = {
        **ports, "username": USERNAME, "password": password, "ca_pem": pem, "host_key": key.get_fingerprint(),
    }  # fmt: skip
    write_private(data / "facts.json", json.dumps(facts))
    stop = threading.Event()
    while not stop.wait(1.0):
        stock.seed_wanted(data)
        stock.deliver_late_files(data)
    return 0


def _password(data: Path) -> str:
    """CARRIER_PASSWORD, or one made at the first start and kept."""
    kept = data / "password"
    if given := os.environ.get("CARRIER_PASSWORD"):
        return given
    if not kept.exists():
        write_private(kept, secrets.token_urlsafe(18))
    return kept.read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    sys.exit(main())
