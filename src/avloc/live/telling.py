"""How an event is told: as a line of JSON, to a command, or to an address of the web."""

from __future__ import annotations

import datetime
import http.client
import json
import os
import shlex
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from avloc.errors import AvlocError
from avloc.live.told import Noted

LIMIT_S = 30.0


class NotToldError(Exception):
    """An event did not arrive, and may be told again."""


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it is told."""

    noted: Noted
    clip: Path | None = None

    def view(self) -> dict[str, Any]:
        """As JSON; times since the start of the file in seconds, and by the clock where that is known."""
        noted, event = self.noted, self.noted.event
        return {
            "id": noted.id,
            "file": str(noted.path),
            "label": event.label,
            "start_s": round(event.start_s, 3),
            "end_s": round(event.end_s, 3),
            "score": round(event.score, 4),
            "start": _at(noted.began, event.start_s),
            "end": _at(noted.began, event.end_s),
            "clip": None if self.clip is None else str(self.clip),
        }

    def line(self) -> str:
        """One line of JSON, in plain ASCII."""
        return json.dumps(self.view())

    def variables(self) -> dict[str, str]:
        """The same for the environment of a command; what is not known is empty."""
        told = {f"AVLOC_{name.upper()}": value for name, value in self.view().items()}
        return {name: "" if value is None else str(value) for name, value in told.items()}


Tell = Callable[[Message], None]
"""Tells an event; raises NotToldError where it did not arrive."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program that is run for each event, without a shell: JSON on its standard input, the same in variables."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Command:
        """As --on-event says it. Raises AvlocError where there is no such program."""
        try:
            words = shlex.split(text, posix=sys.platform != "win32")
        except ValueError as error:
            raise AvlocError(f"--on-event {text!r} cannot be read ({error}); close its quotes") from None
        if not words or shutil.which(words[0]) is None:
            raise AvlocError(
                f"--on-event: there is no program {words[0] if words else ''!r} that may be run; give its path, "
                "and make it executable (no shell reads the command: for pipes, write a script)"
            )
        return cls(tuple(words))

    def __call__(self, message: Message) -> None:
        try:
            ended = subprocess.run(
                self.words,
                input=message.line().encode() + b"\n",
                env={**os.environ, **message.variables()},
                stdout=sys.stderr.fileno(),
                timeout=LIMIT_S,
                check=False,
                start_new_session=True,  # Ctrl-C is for the watch, which lets it finish
            )
        except subprocess.TimeoutExpired:
            raise NotToldError(f"{self.words[0]} took longer than {LIMIT_S:g} s and was ended") from None
        except (OSError, ValueError) as error:
            raise NotToldError(f"{self.words[0]} cannot be run ({error})") from None
        if ended.returncode:
            raise NotToldError(f"{self.words[0]} ended with status {ended.returncode}")


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that each event is posted to as JSON; a status of 200 to 299 says that it arrived."""

    address: str

    @classmethod
    def of(cls, text: str) -> Webhook:
        """As --webhook says it. Raises AvlocError where it is no address of the web."""
        try:
            parts = urlsplit(text)
            sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
            sound = sound and text.isascii() and text.isprintable() and " " not in text
        except ValueError:
            sound = False
        if not sound:
            raise AvlocError(f"--webhook is {text!r}; an address such as http://127.0.0.1:9000/event is needed")
        if parts.username is not None:
            raise AvlocError("--webhook has a user in its address, which is not sent; give the address without")
        return cls(text)

    def __call__(self, message: Message) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.noted.id, "User-Agent": "avloc"}
        request = urllib.request.Request(self.address, message.line().encode(), headers, method="POST")
        try:
            with _OPENER.open(request, timeout=LIMIT_S) as answer:
                answer.read(1000)
        except urllib.error.HTTPError as error:
            error.close()
            raise NotToldError(f"the webhook answered with status {error.code}") from None
        except http.client.HTTPException as error:
            raise NotToldError(f"the webhook answered, but not as HTTP has it ({error})") from None
        except (OSError, ValueError) as error:
            raise NotToldError(f"the webhook cannot be reached ({getattr(error, 'reason', error)})") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is meant for one address goes to no other."""

    def redirect_request(self, *given: Any, **named: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _at(began: str, seconds: float) -> str | None:
    if not began:
        return None
    try:
        moment = datetime.datetime.fromisoformat(began) + datetime.timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="milliseconds")
