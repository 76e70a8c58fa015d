"""Where jobs lie on the disk, so that a server that was stopped or killed goes on where it was.

STORE/incoming/RANDOM       an upload that is not whole yet; removed at every start
STORE/jobs/ID/job.json      the job; a folder without it is removed at every start
STORE/jobs/ID/video.mp4     the video, or a link to it; its ending is one of a list, no word of it is a user's
STORE/jobs/ID/result.*      what was found; page.html beside it
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from avloc.errors import OutputError
from avloc.files import replace_file
from avloc.formats.files import ENDING
from avloc.formats.media_names import VIDEO_ENDINGS
from avloc.lock import locked
from avloc.scale.work import Task
from avloc.serve.job import Job, is_id, read_job

PAGE = "page.html"
RESULT = f"result{ENDING}"
_RECORD = "job.json"
_LARGEST_RECORD = 100_000


class Store:
    """A folder that one server has."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._jobs, self._incoming = root / "jobs", root / "incoming"

    @contextlib.contextmanager
    def opened(self) -> Iterator[list[Job]]:
        """The jobs in it, the oldest first; nobody else has the folder until the end.

        Raises:
            OutputError: it cannot be made or written to, or another server has it.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._jobs.mkdir(exist_ok=True, mode=0o700)
            self._incoming.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise OutputError(f"{self.root}: cannot be made ({reason}); name another folder with --store") from None
        with locked(self.root / ".avloc.lock") as mine:
            if not mine:
                raise OutputError(f"{self.root}: another server works there; name another folder with --store")
            yield self._swept()

    def incoming(self) -> Path:
        """A place for an upload that comes."""
        return self._incoming / secrets.token_hex(16)

    def folder(self, job_id: str) -> Path:
        """Of one job."""
        assert is_id(job_id)
        return self._jobs / job_id

    def video(self, job: Job) -> Path:
        """The video, or a link to it."""
        return self.folder(job.id) / job.video

    def result(self, job: Job) -> Path:
        """The file of events."""
        return self.folder(job.id) / RESULT

    def task(self, job: Job) -> Task:
        """What a worker is given."""
        folder = self.folder(job.id)
        return Task(folder / job.video, folder / RESULT, folder / PAGE if job.page else None)

    def take(self, job: Job, video: Path) -> None:
        """Begin a job: an upload becomes its video, any other is linked to.

        Raises:
            OutputError: it cannot be written; nothing of it stays then.
        """
        folder = self.folder(job.id)
        try:
            folder.mkdir(mode=0o700)
            if job.uploaded:
                video.replace(folder / job.video)
            else:
                (folder / job.video).symlink_to(video)
            self.save(job)
        except (OSError, OutputError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise OutputError(f"the job cannot be kept ({error})") from None

    def save(self, job: Job) -> None:
        """Keep its state. Raises OutputError where that cannot be."""
        replace_file(self.folder(job.id) / _RECORD, job.line())

    def forget_video(self, job: Job) -> None:
        """Remove the video, or the link."""
        with contextlib.suppress(OSError):
            self.video(job).unlink()

    def remove(self, job_id: str) -> None:
        """Remove all of a job; the record goes last, so that what a crash leaves is known."""
        folder = self.folder(job_id)
        for path in sorted(folder.glob("*"), key=lambda path: path.name == _RECORD):
            with contextlib.suppress(OSError):
                path.unlink()
        shutil.rmtree(folder, ignore_errors=True)

    def used(self, job_id: str) -> int:
        """Bytes of a job's folder; what is linked to does not count."""
        total = 0
        with contextlib.suppress(OSError):
            for path in self.folder(job_id).iterdir():
                total += path.lstat().st_size
        return total

    def _swept(self) -> list[Job]:
        # Whoever names a folder of theirs as the store loses nothing that the server has not made.
        for path in filter(_is_ours, self._incoming.iterdir()):
            with contextlib.suppress(OSError):
                path.unlink()
        jobs = []
        for folder in filter(_is_ours, self._jobs.iterdir()):
            job = _job_in(folder)
            if job is None:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            for torn in folder.glob(".avloc-*.tmp"):
                with contextlib.suppress(OSError):
                    torn.unlink()
            jobs.append(job)
        return sorted(jobs, key=lambda job: job.created)


def video_name(ending: str) -> str:
    """The name of a job's video: of the user's own name the ending alone is looked at, and taken from a list."""
    ending = ending.lower()
    return f"video{ending if ending in VIDEO_ENDINGS else '.video'}"


def _is_ours(path: Path) -> bool:
    return is_id(path.name) and not path.is_symlink()


def _job_in(folder: Path) -> Job | None:
    record = folder / _RECORD
    with contextlib.suppress(OSError):
        if record.stat().st_size <= _LARGEST_RECORD:
            job = read_job(record.read_bytes())
            return job if job is not None and job.id == folder.name else None
    return None
