"""Which streams of an MPEG transport stream belong together: its program map (ISO/IEC 13818-1, 2.4.4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_READ = 4 << 20  # bytes; tables are repeated several times a second
_PACKETS = ((188, 0), (192, 4), (204, 0))  # size and where the sync byte stands
_SYNC = 0x47


def programmes(path: Path) -> list[frozenset[int]]:
    """The packet identifiers (PID) of each programme's streams, in the order of the programme table."""
    with path.open("rb") as file:
        data = file.read(_READ)
    maps: list[int] = []
    found: dict[int, frozenset[int]] = {}
    for pid, section in _sections(data):
        if pid == 0 and section[0] == 0 and not maps:
            entries = range(8, len(section) - 4, 4)
            maps = [_pid(section, at + 2) for at in entries if section[at : at + 2] != b"\0\0"]
        elif pid in maps and section[0] == 2:
            found.setdefault(pid, frozenset(_streams(section)))
            if len(found) == len(set(maps)):
                break
    return [found[pid] for pid in maps if pid in found]


def _streams(section: bytes) -> Iterator[int]:
    at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
    while at + 5 <= len(section) - 4:
        yield _pid(section, at + 1)
        at += 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF)


def _sections(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Identifier and bytes of each whole section of a table."""
    size, at = next((p for p in _PACKETS if _in_step(data, *p)), (0, 0))
    parts: dict[int, bytearray] = {}
    while size and at + 188 <= len(data) and data[at] == _SYNC:
        packet, at = data[at : at + 188], at + size
        pid, begins, fields = _pid(packet, 1), packet[1] & 0x40, packet[3] >> 4 & 3
        first = 5 + packet[4] if fields & 2 else 4
        payload = packet[first:] if fields & 1 else b""
        if begins and payload:
            payload = payload[1 + payload[0] :]
            if payload[:3] == b"\0\0\1":
                continue
            parts[pid] = bytearray(payload)
        elif pid in parts:
            parts[pid] += payload
        else:
            continue
        length = 3 + (int.from_bytes(parts[pid][1:3], "big") & 0xFFF)
        if len(parts[pid]) >= max(length, 12):
            yield pid, bytes(parts.pop(pid)[:length])


def _in_step(data: bytes, size: int, first: int) -> bool:
    return len(data) > first and all(data[at] == _SYNC for at in range(first, min(len(data), first + 8 * size), size))


def _pid(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big") & 0x1FFF
