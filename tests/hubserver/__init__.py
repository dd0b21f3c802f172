"""A server on 127.0.0.1 that speaks as much of the Hub's protocol as this project uses.

See README.md in this folder for what it covers and what it does not.
"""

from hubserver.faults import FAULT_KINDS, Fault
from hubserver.server import HubServer

__all__ = ["FAULT_KINDS", "Fault", "HubServer"]
