"""An upload > a file, piece by piece: never more of it than is allowed, nothing of it left when it is cut off."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from avloc.formats.media_names import VIDEO_ENDINGS
from avloc.serve.limits import MEGABYTE, Limits
from avloc.serve.refused import RefusedError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

KINDS = {
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "video/x-matroska": ".mkv",
    "video/matroska": ".mkv",
    "video/x-msvideo": ".avi",
    "video/mp2t": ".ts",
    "video/mpeg": ".mpg",
    "video/x-flv": ".flv",
    "video/ogg": ".ogv",
    "video/3gpp": ".3gp",
}
ANY = "application/octet-stream"
FORM = "multipart/form-data"
_SLOWEST = 16_000  # bytes a second, after the first minute
_BEGIN_S = 60.0
_LET_END, _LET_END_S = 8 * MEGABYTE, 2.0
_TELL = f"send the video itself with Content-Type video/... or {ANY}, or as a file of {FORM}"


@dataclass(slots=True)
class Upload:
    """What came: bytes written, and the ending that the video shall have. grow is told of bytes before they are
    written, and may refuse them."""

    grow: Callable[[int], None]
    size: int = 0
    ending: str = ""


def kind_of(request: Request) -> tuple[str, dict[bytes, bytes]]:
    """The kind of content that a request says it has, in small letters, and its options."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    return kind.decode("latin-1").strip().lower(), options


async def receive(request: Request, path: Path, limits: Limits, upload: Upload) -> None:
    """Write the video of a request to `path`; `upload` tells how much of it came, in the end too.

    Raises:
        RefusedError: it is no video by what it says of itself, too large, empty, cut off or too slow.
    """
    kind, options = kind_of(request)
    if not (kind.startswith("video/") or kind in (ANY, FORM)):
        raise RefusedError(415, f"{kind or 'no kind of content'} is not taken; {_TELL}")
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and len(stated) < 20 and int(stated) > limits.upload + MEGABYTE:
        raise _too_large(limits)
    upload.ending = KINDS.get(kind, "")
    try:
        with path.open("xb", buffering=MEGABYTE) as file:
            if kind == FORM:
                await _form(request, options.get(b"boundary", b""), file, upload, limits)
            else:
                async for piece in pieces(request, limits):
                    await _write(file, piece, upload, limits)
    except OSError as error:
        raise RefusedError(507, f"the video cannot be kept ({(error.strerror or str(error)).lower()})", 60) from None
    if not upload.size:
        raise RefusedError(422, f"the video is empty (0 bytes); {_TELL}")


async def _form(request: Request, boundary: bytes, file: BinaryIO, upload: Upload, limits: Limits) -> None:
    if not boundary or len(boundary) > 256:
        raise RefusedError(422, "the form has no boundary; let the program that sends it state its Content-Type")
    form = _Form()
    try:
        parser = MultipartParser(boundary, form.callbacks(), max_size=limits.upload + MEGABYTE)
        async for piece in pieces(request, limits):
            parser.write(piece)
            for part in form.taken():
                await _write(file, part, upload, limits)
        parser.finalize()
    except (FormParserError, ValueError, IndexError) as error:
        raise RefusedError(422, f"the form cannot be read ({error}); {_TELL}") from None
    if form.files == 0:
        raise RefusedError(422, "the form holds no file; send the video as one, as curl -F video=@my.mp4 does")
    if not form.whole:
        raise RefusedError(400, "the form ends before it should; send it again, whole")
    upload.ending = form.ending


async def pieces(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """The body as it comes, as long as it comes fast enough.

    Raises:
        RefusedError: it does not, is cut off, or is larger than any video that is taken.
    """
    began, size = time.monotonic(), 0
    stream = request.stream()
    while True:
        try:
            piece = await asyncio.wait_for(anext(stream), limits.idle_s)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise RefusedError(408, f"nothing came for {limits.idle_s:g} s; send the video again") from None
        except ClientDisconnect:
            raise RefusedError(400, "the upload was cut off; send the video again, whole") from None
        size += len(piece)
        if size > limits.upload + MEGABYTE:
            raise _too_large(limits)
        if time.monotonic() - began > _BEGIN_S + size / _SLOWEST:
            raise RefusedError(
                408, f"the video comes slower than {_SLOWEST} bytes a second; send it on a faster line"
            )
        yield piece


async def _write(file: BinaryIO, piece: bytes, upload: Upload, limits: Limits) -> None:
    if upload.size + len(piece) > limits.upload:
        raise _too_large(limits)
    upload.grow(len(piece))
    upload.size += len(piece)
    await asyncio.to_thread(file.write, piece)


async def let_end(request: Request) -> None:
    """Read on for a moment what is refused: a client that is cut off amid sending may never see the answer."""
    size = 0
    with contextlib.suppress(TimeoutError, ClientDisconnect, RuntimeError):
        async with asyncio.timeout(_LET_END_S):
            async for piece in request.stream():
                size += len(piece)
                if size > _LET_END:
                    return


def _too_large(limits: Limits) -> RefusedError:
    return RefusedError(
        413, f"the video has more than {limits.upload / MEGABYTE:g} MB, which are the most that are taken"
    )


@dataclass(slots=True)
class _Form:
    """Parts of a form as they come; of the first that is a file, the content and the ending."""

    files: int = 0
    whole: bool = False
    ending: str = ""
    _in_file: bool = False
    _name: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _taken: list[bytes] = field(default_factory=list)

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._headers.clear,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._begin,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def taken(self) -> Iterator[bytes]:
        """What came of the file since the last time."""
        pieces = self._taken[:]
        self._taken.clear()
        yield from pieces

    def _header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _begin(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"filename")
        if name is None:
            return
        self.files += 1
        if self.files > 1:
            raise RefusedError(422, "the form holds more than one file; send one video at a time")
        kind, _ = parse_options_header(self._headers.get(b"content-type", b""))
        told = kind.decode("latin-1").lower()
        suffix = PurePosixPath(name.decode("utf-8", "replace")).suffix.lower()
        if suffix not in VIDEO_ENDINGS and not told.startswith("video/") and told not in ("", ANY):
            raise RefusedError(415, f"the file says that it is {told}, which is not taken; send a video")
        self.ending = suffix if suffix in VIDEO_ENDINGS else KINDS.get(told, "")
        self._in_file = True

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._taken.append(data[start:end])

    def _end(self) -> None:
        self._in_file = False

    def _finish(self) -> None:
        self.whole = True


def remove(path: Path) -> None:
    """Remove what came of an upload, if it is still there."""
    with contextlib.suppress(OSError):
        path.unlink()
