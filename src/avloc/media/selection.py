"""Which packets of a video stream must be decoded to show the pictures of given times, and how thoroughly.

Most pictures between two wanted times need not be seen. Those that no other picture refers to are skipped by the
decoder ("NONREF"), and what follows the last wanted picture before a start (`avloc.media.starts`) is not decoded at
all. Both leave the wanted pictures as they are: packets carry their presentation timestamps, so it is known before
decoding which picture is on screen when.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from avloc.media.starts import AnyPacket, StartsAt

Skip = Literal["DEFAULT", "NONREF"]

ROUNDING_S = 1e-4
"""A picture counts as on screen this much before its timestamp: clocks of 90 kHz and less round."""

_REORDER = 32  # packets; no codec here presents a picture more than 16 places away from its decoding order
_SEGMENT_PACKETS = 320
_SEGMENT_BYTES = 32 << 20


class Times:
    """Ascending times with a look ahead: `head` stays visible until it is popped.

    Raises:
        ValueError: the times do not ascend.
    """

    def __init__(self, times_s: Iterable[float]) -> None:
        self._source = iter(times_s)
        self._ahead: deque[float] = deque()
        self._last_s = float("-inf")

    def head(self) -> float | None:
        if not self._ahead:
            self._pull()
        return self._ahead[0] if self._ahead else None

    def pop(self) -> None:
        self._ahead.popleft()

    def up_to(self, end_s: float) -> tuple[list[float], bool]:
        """The times not popped yet that lie before end_s, and whether there are later ones."""
        while self._last_s < end_s and self._pull():
            pass
        near = [t for t in self._ahead if t < end_s]
        return near, len(near) < len(self._ahead)

    def _pull(self) -> bool:
        time_s = next(self._source, None)
        if time_s is None:
            return False
        if not time_s >= self._last_s:
            raise ValueError(f"times_s must ascend; {time_s} follows {self._last_s}")
        self._ahead.append(time_s)
        self._last_s = time_s
        return True


@dataclass(frozen=True, slots=True)
class Chosen:
    """A packet to decode with the decoder's skip_frame at `skip`; `afresh` if packets before it were left out."""

    packet: AnyPacket
    skip: Skip = "DEFAULT"
    afresh: bool = False


@dataclass(slots=True)
class _Segment:
    """Packets from one start to the next (or as many as are held), and the first ones behind them."""

    packets: list[AnyPacket]
    behind: list[AnyPacket] = field(default_factory=list)
    closed: bool = False


def select(
    packets: Iterable[AnyPacket], times: Times, zero_s: float, starts: StartsAt, skip: Skip = "NONREF"
) -> Iterator[Chosen]:
    """The packets to decode for `times`, in seconds since zero_s on the stream's clock.

    skip is for pictures that are not wanted, "DEFAULT" for a decoder that does not heed it packet by packet. A stream
    with packets that have no presentation timestamp is decoded whole.
    """
    before: deque[float] = deque(maxlen=_REORDER)
    first, left_out = True, False
    for segment in _segments(packets, starts):
        stamps = [shown_at_s(p, zero_s) for p in segment.packets]
        following = [shown_at_s(p, zero_s) for p in segment.behind]
        known = [t for t in stamps if t is not None]
        if any(p.pts is None and p.size for p in segment.packets):
            for packet in segment.packets:
                yield Chosen(packet, afresh=left_out)
                left_out = False
        else:
            around = sorted({*before, *known, *(t for t in following if t is not None)})
            shown = _shown(around, times, first)
            last = _last_needed(segment, stamps, following, shown)
            for i, (packet, stamp) in enumerate(zip(segment.packets, stamps, strict=True)):
                if i > last and packet.size:
                    left_out = True
                    continue
                seen = stamp in shown or packet.size == 0
                yield Chosen(packet, "DEFAULT" if seen else skip, left_out)
                left_out = False
        before.extend(known)
        first = False


def _last_needed(
    segment: _Segment, stamps: list[float | None], following: list[float | None], shown: set[float]
) -> int:
    """Index of the last packet of the segment that has to be decoded, -1 for none."""
    end = len(stamps) - 1
    if not segment.closed:
        return end
    key_s = following[0] if following else None
    # Pictures decoded after the next start but shown before it may refer to this segment.
    if key_s is None or any(t is not None and t < key_s and t in shown for t in following[1:]):
        return end
    # A packet may bring what all that follow need, as where a file goes on with other settings of its codec.
    needed = (i for i, p in enumerate(segment.packets) if stamps[i] in shown or p.has_sidedata("new_extradata"))
    return max(needed, default=-1)


def _shown(around: list[float], times: Times, first: bool) -> set[float]:
    """Those of the ascending stamps that are on screen at a wanted time (the last one: until further notice)."""
    if not around:
        return set()
    wanted, more = times.up_to(around[-1])
    # With more to come, the last one may be the last of all, and so on screen ever after.
    shown = {around[-1]} if more else set()
    at = 0
    for time_s in wanted:
        while at + 1 < len(around) and around[at + 1] <= time_s + ROUNDING_S:
            at += 1
        if around[at] <= time_s + ROUNDING_S or first:
            shown.add(around[at])
    return shown


def _segments(packets: Iterable[AnyPacket], starts: StartsAt) -> Iterator[_Segment]:
    held: deque[tuple[AnyPacket, bool]] = deque()  # and whether it is a start
    next_start = size = 0  # next_start: place in `held` of the first start behind the head, 0 for none yet
    for packet in packets:
        start = starts(packet)
        if start and held and not next_start:
            next_start = len(held)
        held.append((packet, start))
        size += packet.size
        if next_start and len(held) >= next_start + _REORDER:
            segment = _cut(held, next_start, closed=True)
        elif not next_start and len(held) > _REORDER and (len(held) > _SEGMENT_PACKETS or size > _SEGMENT_BYTES):
            segment = _cut(held, len(held) - _REORDER, closed=False)
        else:
            continue
        yield segment
        size = sum(p.size for p, _ in held)
        next_start = _next_start(held)
    while held:
        next_start = _next_start(held)
        yield _cut(held, next_start or len(held), closed=bool(next_start))


def _next_start(held: deque[tuple[AnyPacket, bool]]) -> int:
    return next((i for i, (_, start) in enumerate(held) if i and start), 0)


def _cut(held: deque[tuple[AnyPacket, bool]], count: int, *, closed: bool) -> _Segment:
    packets = [held.popleft()[0] for _ in range(count)]
    return _Segment(packets, [p for p, _ in held][:_REORDER], closed)


def shown_at_s(packet: AnyPacket, zero_s: float) -> float | None:
    """When a packet's picture appears; None for one that never does."""
    if packet.pts is None or packet.size == 0 or packet.is_discard:
        return None
    return float(packet.pts * packet.time_base) - zero_s
