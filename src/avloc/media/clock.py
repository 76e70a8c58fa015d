"""One line of time for a file whose clock strays, leaps or starts anew.

packets > look ahead > stamps that stray are taken off; leaps that last are taken out of all streams alike

A stamp strays where most packets that follow go on as if it were not there. A leap lasts where they go on from it.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from av.packet import Packet
from av.stream import Stream

AnyPacket: TypeAlias = "Packet[Stream]"

_AHEAD = 32  # packets of the same stream that bear a leap out or not; more than pictures are out of order by
_REORDER = 16  # places, at most
_HELD = 256  # packets of all streams
_FURTHEST_START_S = 1800.0
_LONGEST_GAP_S = 6 * 3600.0
_LEAP_S, _BACK_S = 10.0, -0.5  # a restart where there may be some; ffmpeg, too, takes 10 s for one
_SURELY_BACK_S = -10.0  # where times of decoding are made up from those of showing
_DOUBT_SOUND_S, _DOUBT_PICTURE_S = 0.5, 5.0  # sound goes on, pictures may stand
_ORDER_S = 10.0  # pictures are out of order by less
_LAST_S = 600.0  # a last picture may stand for so long
_OVERLAP_S = 0.6
_APART_S = 3.0  # of streams that lie side by side in a file

JOINED = "its clock starts anew in the middle: the parts are read as one"
STRAYED = "some of its time stamps lead astray and are passed over"


@dataclass(slots=True)
class _Line:
    """Where one stream is: when its next packet is due, its latest picture, and what is added to its stamps."""

    sound: bool
    next_s: float | None = None
    top_s: float = -math.inf
    shift_s: float = 0.0


class Clock:
    """Mends the stamps of all streams of one file, read in file order.

    Where it `leaps`, one ahead of more than 10 s is taken out, unless another stream has come there by itself: then
    it is a gap. Where it neither does nor `restarts`, stamps beyond the stated end are damage.
    """

    def __init__(
        self, sound: Mapping[int, bool], zero_s: float, stated_end_s: float, *, restarts: bool, leaps: bool
    ) -> None:
        self.notes: list[str] = []
        self._lines = {index: _Line(is_sound) for index, is_sound in sound.items()}
        self._zero_s = zero_s
        self._end_s = stated_end_s + 1.0
        self._restarts, self._leaps = restarts, leaps
        self._ahead_s = _LEAP_S if leaps else _LONGEST_GAP_S
        self._back_s = _BACK_S if leaps else _SURELY_BACK_S
        self._shift_s = 0.0
        self._held: deque[AnyPacket] = deque()

    def steady(self, packets: Iterable[AnyPacket]) -> Iterator[AnyPacket]:
        """The packets with their stamps mended; those without size come last, as they are."""
        count: Counter[int] = Counter()
        for packet in packets:
            if packet.size == 0:
                yield from self._rest()
                count.clear()
                yield packet
                continue
            self._held.append(packet)
            count[packet.stream_index] += 1
            while self._held and (count[self._held[0].stream_index] > _AHEAD or len(self._held) > _HELD):
                count[self._held[0].stream_index] -= 1
                yield self._mended()
        yield from self._rest()

    def _rest(self) -> Iterator[AnyPacket]:
        while self._held:
            yield self._mended()

    def _mended(self) -> AnyPacket:
        packet = self._held.popleft()
        line = self._lines[packet.stream_index]
        unit = float(packet.time_base)
        length_s = (packet.duration or 0) * unit
        stamp = packet.pts if packet.dts is None else packet.dts
        if stamp is None:
            line.next_s = None if line.next_s is None else line.next_s + length_s
            return packet
        if self._strays(packet, line, stamp * unit):
            packet.pts = packet.dts = None
            line.next_s = None if line.next_s is None else line.next_s + length_s
            self._note(STRAYED)
            return packet
        shift = round(line.shift_s / unit)
        if shift:
            packet.pts = None if packet.pts is None else packet.pts + shift
            packet.dts = None if packet.dts is None else packet.dts + shift
        line.next_s = stamp * unit + line.shift_s + length_s
        line.top_s = max(line.top_s, line.next_s if packet.pts is None else packet.pts * unit)
        return packet

    def _strays(self, packet: AnyPacket, line: _Line, time_s: float) -> bool:
        """Whether its stamps are damage; if not, and the clock leaps here, the line's shift takes the leap out."""
        if line.next_s is None:
            far = self._restarts and abs(time_s - self._zero_s) > _FURTHEST_START_S
            return far or self._picture_strays(packet, line, time_s)
        leap_s = time_s + line.shift_s - line.next_s
        latest_s = max(time_s, time_s if packet.pts is None else float(packet.pts * packet.time_base))
        if latest_s > self._end_s and latest_s - line.next_s > 1.0:
            return True
        doubt_s = _DOUBT_SOUND_S if line.sound else _DOUBT_PICTURE_S
        if not self._back_s <= leap_s <= doubt_s:
            surely = leap_s < 0 and not self._leaps
            if not self._borne_out(packet, line, time_s, line.next_s - line.shift_s, surely=surely):
                return line.sound or not surely
            if not self._back_s <= leap_s <= self._ahead_s:
                self._leap(packet.stream_index, time_s)
            return False
        return self._picture_strays(packet, line, time_s)

    def _picture_strays(self, packet: AnyPacket, line: _Line, time_s: float) -> bool:
        """Whether the time of showing is damage where that of decoding is none."""
        if packet.pts is None or line.sound:
            return False
        shown_s = float(packet.pts * packet.time_base)
        usual_s = time_s if math.isinf(line.top_s) else line.top_s - line.shift_s
        if abs(shown_s - usual_s) <= _ORDER_S:
            return False
        return not self._borne_out(packet, line, shown_s, usual_s, shown=True)

    def _borne_out(
        self,
        packet: AnyPacket,
        line: _Line,
        time_s: float,
        usual_s: float,
        *,
        shown: bool = False,
        surely: bool = False,
    ) -> bool:
        """Whether most (surely: all) packets that follow in the stream are nearer to time_s than to what was usual.

        Pictures that stand long are out of order by long: fewer than they may be out of order by prove nothing.
        """
        following = (p for p in self._held if p.stream_index == packet.stream_index)
        stamps = (p.pts if shown or p.dts is None else p.dts for p in following)
        times = [float(s * packet.time_base) for s in stamps if s is not None]
        if not times:
            return time_s - usual_s <= _LAST_S
        usual = sum(abs(t - time_s) > abs(t - usual_s) for t in times)
        if surely:
            return usual == 0 and len(times) > _REORDER
        few = 0 if line.sound or abs(time_s - usual_s) > _LAST_S else _REORDER
        return usual <= max(few, len(times) // 2)

    def _leap(self, index: int, time_s: float) -> None:
        """Take a leap that lasts out of a stream: by the shift of the others, so that streams stay in step."""
        line = self._lines[index]
        others = [o for i, o in self._lines.items() if i != index and o.next_s is not None]
        assert line.next_s is not None
        ahead_s = time_s + line.shift_s
        come = (o.next_s is not None and o.next_s >= ahead_s - _APART_S for o in others)
        if ahead_s > line.next_s and (len(others) < len(self._lines) - 1 or any(come)):
            return  # a gap of this stream alone, or before another has begun
        if -_OVERLAP_S <= time_s + self._shift_s - line.next_s <= _LEAP_S:
            line.shift_s = self._shift_s
            return
        ends = (o.next_s for o in itertools.chain([line], others) if o.next_s is not None)
        self._shift_s = line.shift_s = max(ends) - time_s
        line.top_s = -math.inf
        self._note(JOINED)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
