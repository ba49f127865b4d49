"""The server's half of a WebSocket (RFC 6455), as much as a stand-in needs: short frames, no fragments."""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
from contextlib import suppress

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Ended(Exception):
    """The other side hung up, or sent what no WebSocket client sends."""


def shake_hands(connection: socket.socket) -> str:
    """The path asked for; the connection is a WebSocket afterwards. Raises Ended."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += _received(connection, 4_096)
    first, *lines = request.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("upgrade", "").lower() != "websocket" or headers.get("sec-websocket-version") != "13":
        raise Ended(f"no websocket handshake: {first}")
    proof = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + _GUID).digest()).decode()
    answer = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
    connection.sendall("\r\n".join((*answer, f"Sec-WebSocket-Accept: {proof}", "", "")).encode())
    return first.split(" ")[1]


def read(connection: socket.socket) -> tuple[int, bytes]:
    """Opcode and payload of the next frame. Raises Ended."""
    first, second = _exactly(connection, 2)
    if not second & 0x80:
        raise Ended("a frame without a mask: clients must mask theirs")
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", _exactly(connection, 2))
    elif length == 127:
        (length,) = struct.unpack("!Q", _exactly(connection, 8))
    mask = _exactly(connection, 4)
    return first & 0x0F, bytes(byte ^ mask[place % 4] for place, byte in enumerate(_exactly(connection, length)))


def write(connection: socket.socket, opcode: int, payload: bytes) -> None:
    """Sends one frame; a connection that is gone takes nothing."""
    size = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + struct.pack("!H", len(payload))
    with suppress(OSError):
        connection.sendall(bytes([0x80 | opcode]) + size + payload)


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        found += _received(connection, count - len(found))
    return found


def _received(connection: socket.socket, most: int) -> bytes:
    try:
        part = connection.recv(most)
    except OSError as error:
        raise Ended(type(error).__name__) from error
    if not part:
        raise Ended("hung up")
    return part
