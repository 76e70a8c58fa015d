"""A small client of headless Chromium: the DevTools protocol over a pair of pipes, nothing else needed."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
)
KEYS = {"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "ArrowRight": 39, "ArrowLeft": 37, "End": 35,
        "Delete": 46, "Tab": 9, "PageUp": 33, "PageDown": 34}  # fmt: skip


def find_chromium() -> str | None:
    """The program, or None where it is absent."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One tab. `requests` are the addresses asked for, `troubles` script errors, dialogs and refusals by a policy;
    that a file is not there is none."""

    def __init__(self, program: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        self.requests: list[str] = []
        self.troubles: list[str] = []
        self._events: list[dict[str, Any]] = []
        self._number = 0
        self._rest = b""
        self._session: str | None = None
        self._home = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        ends = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (theirs_in, theirs_out)]

        def place() -> None:  # Chromium reads from 3 and writes to 4
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self._home.name}", "about:blank"],
            preexec_fn=place,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (theirs_in, theirs_out, *ends):
            os.close(fd)
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.look(width, height, dark)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._home.cleanup()

    def look(self, width: int, height: int, dark: bool = False) -> None:
        """Size of the window in pixels, and whether the viewer likes it dark."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[theme])

    def call(self, method: str, /, **params: object) -> dict[str, Any]:
        """One command; its result."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        ends = time.monotonic() + 60
        while True:
            answer = self._receive(ends)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, path: Path, fragment: str = "") -> None:
        """Load a file afresh and wait until it is there."""
        for url in ("about:blank", path.resolve().as_uri() + fragment):
            self._events.clear()
            loader = self.call("Page.navigate", url=url)["loaderId"]
            ends = time.monotonic() + 60
            while not any(self._tells_load(event, loader) for event in self._events):
                self._receive(ends)

    @staticmethod
    def _tells_load(event: dict[str, Any], loader: str) -> bool:
        given = event.get("params", {})
        return bool(
            event["method"] == "Page.lifecycleEvent" and (given["loaderId"], given["name"]) == (loader, "load")
        )

    def value(self, expression: str) -> Any:
        """Of a JavaScript expression; promises are waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, expression: str, timeout_s: float = 40.0) -> None:
        """Wait until an expression is true; while a page comes or goes, it may raise."""
        ends, last = time.monotonic() + timeout_s, ""
        while True:
            try:
                if self.value(expression):
                    return
            except RuntimeError as error:
                last = f" ({error})"
            if time.monotonic() > ends:
                raise TimeoutError(f"{expression} did not come true in {timeout_s:g} s{last}")
            time.sleep(0.03)

    def click(self, selector: str) -> None:
        """A real click in the middle of an element."""
        x, y = self._middle(selector)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def _middle(self, selector: str) -> tuple[float, float]:
        x, y = self.value(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect(); "
            "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
        )
        return x, y

    def press(self, key: str) -> None:
        """A key, by its name, or a sign."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        code = {"windowsVirtualKeyCode": KEYS[key]} if key in KEYS else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text, **code)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **code)

    def type(self, text: str) -> None:
        """Signs into the field that has the focus."""
        self.call("Input.insertText", text=text)

    def drag(self, selector: str, across: float) -> None:
        """Hold the middle of an element, move it so many pixels to the right, let it go."""
        x, y = self._middle(selector)
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1)
        for share in (0.5, 1.0):
            self.call(
                "Input.dispatchMouseEvent", type="mouseMoved", x=x + share * across, y=y, button="left", buttons=1
            )
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=x + across, y=y, button="left", clickCount=1)

    def save_into(self, folder: Path) -> None:
        """Where the page's downloads go."""
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def saved(self, path: Path, timeout_s: float = 20.0) -> Path:
        """A download, once it is whole."""
        ends = time.monotonic() + timeout_s
        while not path.is_file() or path.with_name(path.name + ".crdownload").exists():
            if time.monotonic() > ends:
                raise TimeoutError(f"{path} was not saved")
            time.sleep(0.03)
        return path

    def give_file(self, selector: str, path: Path) -> None:
        """Choose a file in a field for files."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def drawing_s(self) -> float:
        """Seconds of processor time that the processes have taken that run and draw pages."""
        ticks, tree = 0, {self._process.pid}
        for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
                command = (stat.parent / "cmdline").read_text()
            except OSError:
                continue
            if int(fields[1]) in tree:
                tree.add(int(stat.parent.name))
                ticks += (int(fields[11]) + int(fields[12])) if "--type=renderer" in command else 0
        return ticks / os.sysconf("SC_CLK_TCK")

    def picture(self, path: Path) -> Path:
        """What the window shows, as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
        return path

    def _receive(self, ends: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0.0, ends - time.monotonic()))
            piece = os.read(self._in, 1 << 20) if ready else b""
            if not piece:
                raise TimeoutError("Chromium does not answer")
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self._note(message)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        given = event.get("params", {})
        if event["method"] == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])
        elif event["method"] == "Runtime.exceptionThrown":
            self.troubles.append(str(given["exceptionDetails"]))
        elif event["method"] == "Page.javascriptDialogOpening":
            self.troubles.append(f"dialog: {given['message']}")
        elif event["method"] == "Log.entryAdded" and given["entry"]["source"] != "network":
            self.troubles.append(given["entry"]["text"])
