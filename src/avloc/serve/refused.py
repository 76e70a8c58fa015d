"""What the server does not do, with the status of HTTP that says so and one line for a person."""

from __future__ import annotations

from avloc.errors import one_line


class RefusedError(Exception):
    """A request is refused. retry_s: after so many seconds it may be tried again."""

    def __init__(self, status: int, line: str, retry_s: int | None = None) -> None:
        super().__init__(line)
        self.status, self.retry_s = status, retry_s

    def __str__(self) -> str:
        return one_line(super().__str__())

    @property
    def headers(self) -> dict[str, str]:
        """Those that go with the status."""
        told = {} if self.retry_s is None else {"Retry-After": str(self.retry_s)}
        if self.status in (408, 413):  # what else would come is not listened to
            told["Connection"] = "close"
        return told
