"""Work: what is done to each of many videos, once. A key of the video and the settings tells whether it is done."""

from __future__ import annotations

import contextlib
import hashlib
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from avloc.errors import MediaError
from avloc.files import file_hash
from avloc.media.probe import MediaInfo, probe
from avloc.scale.manifest import MANIFEST
from avloc.scale.messages import OnProgress
from avloc.scale.table import FAILURES


@dataclass(frozen=True, slots=True)
class Task:
    """A video, the file for its result, and the page for people beside it, if one is wanted."""

    video: Path
    result: Path
    page: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of one video. `found_before`: its files were whole, nothing was made; `again`: they were made of what
    an earlier run kept."""

    key: str
    duration_s: float
    took_s: float = 0.0
    found_before: bool = False
    again: bool = False


D = TypeVar("D", bound=Done)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What all results of a folder come to: one table, and how much there is of what in those of this run."""

    table: Path | None = None
    counts: Counter[str] = field(default_factory=Counter)


class Work(ABC, Generic[D]):
    """Task > outcome. Called again and again, the outcome is the same.

    An object is light, its settings alone, and goes to other processes by pickle until `load` is called.
    """

    ending: ClassVar[str]
    """What names of result files end in."""
    manifest: ClassVar[str] = MANIFEST
    """Name of the manifest; another kind of work in the same folder keeps another."""
    failures: ClassVar[str] = FAILURES
    """Name of the table of what failed or was skipped; as with the manifest."""

    @abstractmethod
    def load(self) -> None:
        """Get ready in this process.

        Raises:
            ModelError, FeatureError: what the work needs is missing or broken.
        """

    @cached_property
    def digest(self) -> str:
        """Hash of all that what is computed depends on beside the video.

        Raises:
            ModelError: it cannot be read.
        """
        return digest_of(*self.settings())

    @abstractmethod
    def settings(self) -> tuple[str, ...]:
        """What `digest` is made of. Raises as it does."""

    @abstractmethod
    def read(self, result: Path) -> D | None:
        """What a whole result file tells, or None for one that is missing, cut off, or no result of such work."""

    @abstractmethod
    def make(self, task: Task, info: MediaInfo, content: str, on_progress: OnProgress) -> D:
        """Make the task's files; `content` is the hash of the video's file. The result file comes last, whole.

        Raises:
            MediaError: the file cannot be read, has no picture or no sound, or changed meanwhile.
            OutputError: a file cannot be written.
        """

    def whole(self, task: Task, key: str) -> D | None:
        """The outcome where all files of the task are there, of this key."""
        read = self.read(task.result)
        return read if read is not None and read.key == key else None

    def again(self, task: Task, key: str) -> D | None:
        """Make the task's files of what an earlier run kept under this key, quickly and without the video.

        Returns:
            None where nothing is kept.

        Raises:
            OutputError: a file cannot be written.
        """
        return None

    def bring_along(self, folder: Path, results: Mapping[str, Path]) -> int:
        """Bring results of other videos in a folder, files by name, to these settings; how many were not so before.

        Raises:
            OutputError: one cannot be.
        """
        return 0

    def give_up(self, result: Path) -> None:
        """There is no new result of a video: see to it that none of other settings stays in its place."""

    def gather(self, folder: Path, results: Mapping[str, Path], mine: Container[str]) -> Gathered:
        """What is told of all results of a folder together: files by name, of which those of this run are `mine`."""
        return Gathered()

    def __call__(self, task: Task, on_progress: OnProgress) -> D:
        """Make the task's files, unless they are there from the same video and the same settings.

        Raises:
            MediaError, OutputError: as `make`.
        """
        info = probe(task.video)
        content = content_of(task.video)
        return self.done(task, content) or self.make(task, info, content, on_progress)

    def key(self, content: str) -> str:
        """Key of what is computed of a video whose file has the hash `content`."""
        return digest_of(content, self.digest)

    def done(self, task: Task, content: str) -> D | None:
        """The outcome where all is there from the same content and settings, or can be made of what is kept."""
        key = self.key(content)
        read = self.whole(task, key)
        return self.again(task, key) if read is None else replace(read, found_before=True)


def ready(work: Work[D]) -> Work[D]:
    """What a worker begins with."""
    work.load()
    return work


def content_of(video: Path) -> str:
    """Hash of the video's file.

    Raises:
        MediaError: it cannot be read.
    """
    try:
        return file_hash(video)
    except OSError as error:
        raise _unreadable(video, error) from None


@contextlib.contextmanager
def unchanged(video: Path) -> Iterator[None]:
    """Raise MediaError where the video changes inside."""
    before = _stamp(video)
    yield
    if _stamp(video) != before:
        raise MediaError(f"{video}: changed while it was read; run again when it is whole")


def digest_of(*parts: str) -> str:
    """One hash of several texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def relative(path: Path, folder: Path) -> str:
    """Place of a file as seen from a folder, in POSIX form; absolute where it lies on another drive."""
    whole = path.parent.resolve() / path.name
    try:
        return Path(os.path.relpath(whole, folder.resolve())).as_posix()
    except ValueError:
        return whole.as_posix()


def _stamp(path: Path) -> tuple[int, int]:
    try:
        now = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from None
    return now.st_size, now.st_mtime_ns


def _unreadable(video: Path, error: OSError) -> MediaError:
    return MediaError(f"{video}: cannot be read ({(error.strerror or str(error)).lower()})")
