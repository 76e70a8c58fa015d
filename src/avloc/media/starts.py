"""Which packets decoding may begin at: proven by the packet's own bytes, never by the container's word alone.

Containers flag too much (every packet, recovery points that need pictures of before) or too little. A packet is a
start where every picture that is shown after its own can be decoded without the packets before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

AnyPacket: TypeAlias = "Packet[Stream]"
StartsAt = Callable[[AnyPacket], bool]

# Their decoders heed skip_frame anew at each packet; that of AV1 reads it once, when it is opened.
_SKIPPING = frozenset({"h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "vp8"})
_VIDEO_PARAMETERS = b"\x40\x01\x0c"  # H.265: head of the unit, its number 0, one layer
_HEAD = 4096  # bytes, mostly enough to hold what comes before the first slice


def starts_of(stream: VideoStream) -> StartsAt:
    """Whether a packet of the stream is a start; for codecs that are not looked into, none is."""
    codec = stream.codec_context.codec
    if codec.intra_only:
        return lambda packet: packet.size > 0
    look = _LOOKS.get(codec.canonical_name)
    if look is None:
        return lambda packet: False
    extradata = stream.codec_context.extradata or b""
    return lambda packet: packet.size > 0 and look(memoryview(packet), extradata)


def skips(stream: VideoStream) -> bool:
    """Whether the decoder, told at a packet to skip what no picture refers to ("NONREF"), leaves out just that."""
    name = stream.codec_context.codec.canonical_name
    if name != "hevc":
        return name in _SKIPPING
    # Of several temporal sub-layers a picture of a lower one may be marked so though higher ones refer to it.
    extradata = stream.codec_context.extradata or b""
    at = extradata.find(_VIDEO_PARAMETERS) + len(_VIDEO_PARAMETERS)
    return at >= len(_VIDEO_PARAMETERS) and len(extradata) > at and extradata[at] >> 1 & 7 == 0


def _h264(data: memoryview, extradata: bytes) -> bool:
    """An IDR picture: slices of type 5 (ITU-T H.264, table 7-1)."""
    length = (extradata[4] & 3) + 1 if extradata[:1] == b"\1" and len(extradata) > 6 else 0
    kinds = (head & 31 for head in _units(data, length))
    return next((kind == 5 for kind in kinds if 1 <= kind <= 5), False)


def _hevc(data: memoryview, extradata: bytes) -> bool:
    """An intra random access point: types 16 to 21 (ITU-T H.265, table 7-1). Leading pictures are shown before it."""
    length = (extradata[21] & 3) + 1 if extradata[:1] == b"\1" and len(extradata) > 22 else 0
    kinds = (head >> 1 & 63 for head in _units(data, length))
    return next((16 <= kind <= 21 for kind in kinds if kind < 32), False)


def _units(data: memoryview, length: int) -> Iterator[int]:
    """First byte of each NAL unit, behind a size of `length` bytes or, for 0, behind start codes."""
    if length:
        at = 0
        while at + length < len(data):
            yield data[at + length]
            at += length + int.from_bytes(data[at : at + length], "big")
        return
    at = 0
    for part in (bytes(data[:_HEAD]), bytes(data)):
        while 0 <= (found := part.find(b"\0\0\1", at)) < len(part) - 3:
            yield part[found + 3]
            at = found + 3
        if len(part) == len(data):
            return


def _mpeg2(data: memoryview, extradata: bytes) -> bool:
    """picture_coding_type 1, I (ISO/IEC 13818-2, 6.2.3); MPEG-1 has it at the same place."""
    whole = bytes(data)
    at = whole.find(b"\0\0\1\0")
    return 0 <= at < len(whole) - 5 and whole[at + 5] >> 3 & 7 == 1


def _mpeg4(data: memoryview, extradata: bytes) -> bool:
    """vop_coding_type 0, I (ISO/IEC 14496-2, 6.2.5)."""
    whole = bytes(data)
    at = whole.find(b"\0\0\1\xb6")
    return 0 <= at < len(whole) - 4 and whole[at + 4] >> 6 == 0


def _vp8(data: memoryview, extradata: bytes) -> bool:
    """RFC 6386, 9.1."""
    return data[0] & 1 == 0


def _vp9(data: memoryview, extradata: bytes) -> bool:
    """frame_marker, profile, show_existing_frame, frame_type (VP9 bitstream specification, 6.2)."""
    head = data[0]
    place = 2 if head >> 4 & 3 == 3 else 3  # profile 3 has a reserved bit
    return head >> 6 == 2 and head >> (place - 1) & 3 == 0


def _av1(data: memoryview, extradata: bytes) -> bool:
    """A key frame that is shown at once (AV1 bitstream specification, 5.3 and 5.9)."""
    at, still = 0, False
    while at < len(data):
        head, at = data[at], at + 1
        at += head >> 2 & 1
        size = len(data) - at
        if head >> 1 & 1:
            size, at = _leb128(data, at)
        kind = head >> 3 & 15
        if at >= len(data):
            return False
        if kind == 1:
            still = bool(data[at] >> 3 & 1)  # reduced_still_picture_header
        elif kind in (3, 6):
            return still or data[at] >> 4 == 0b0001  # not shown again, KEY_FRAME, show_frame
        at += size
    return False


def _leb128(data: memoryview, at: int) -> tuple[int, int]:
    """A number and the place behind it."""
    value = 0
    for i in range(8):
        if at >= len(data):
            break
        byte, at = data[at], at + 1
        value |= (byte & 127) << 7 * i
        if byte < 128:
            break
    return value, at


def _ffv1(data: memoryview, extradata: bytes) -> bool:
    """keyframe, the first symbol of the range coder, in a state of even odds (RFC 9043, 3.8.1 and 4.4)."""
    return int.from_bytes(data[:2], "big") >= 0x7F80


def _theora(data: memoryview, extradata: bytes) -> bool:
    """FTYPE 0, an intra frame (Theora specification, 7.1)."""
    return data[0] & 0xC0 == 0


_LOOKS: dict[str, Callable[[memoryview, bytes], bool]] = {
    "h264": _h264,
    "hevc": _hevc,
    "mpeg1video": _mpeg2,
    "mpeg2video": _mpeg2,
    "mpeg4": _mpeg4,
    "vp8": _vp8,
    "vp9": _vp9,
    "av1": _av1,
    "ffv1": _ffv1,
    "theora": _theora,
}
