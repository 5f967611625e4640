"""The address of this machine that Docker's containers know: the gateway of its default bridge."""

from __future__ import annotations

import socket
import struct
import sys

_BRIDGE = "docker0"
_SIOCGIFADDR = 0x8915  # linux/sockios.h: the address of an interface


def docker_gateway() -> str | None:
    """The IPv4 address of the bridge ``docker0``, None where there is none.

    On Linux, ``host-gateway`` in ``docker run --add-host`` means this address. Docker Desktop has no such bridge, and
    needs none: there, containers reach what listens on loopback.
    """
    if sys.platform != "linux":
        return None
    import fcntl  # noqa: PLC0415 - Windows has no such module

    request = struct.pack("256s", _BRIDGE.encode())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            answer = fcntl.ioctl(any_socket.fileno(), _SIOCGIFADDR, request)
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])  # struct ifreq: name (16), family (2), port (2), address (4)
