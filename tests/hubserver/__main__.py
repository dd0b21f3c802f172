"""`python -m hubserver FOLDER [PORT]`: a server in a process of its own, which can be killed.

It prints its address on the first line and serves until it is ended.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from hubserver.server import HubServer


def main() -> None:
    root = Path(sys.argv[1])
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    hub = HubServer(root / "home", root, port).start()
    print(hub.endpoint, flush=True)
    threading.Event().wait()


main()
