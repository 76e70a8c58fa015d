"""What `avloc serve` refuses before it listens, each in a line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from avloc.cli.main import main


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0 lets others in; give a --token"),
        (["--host", "example.org", "--token", "short"], "too easy to guess"),
        (["--port", "70000"], "--port is 70000"),
        (["--workers", "0"], "--workers is 0"),
        (["--max-mb", "nan"], "--max-mb is nan"),
        (["--keep-hours", "-1"], "--keep-hours is -1"),
        (["--folder", "nothing"], "nothing: is no folder"),
        (["--model", "nothing"], "nothing: is no model"),
        (["--min-score", "2"], "--min-score is 2"),
        (["--host", "192.0.2.1", "--token", "0123456789abcdef"], "192.0.2.1:8080: cannot be listened at"),
    ],
)
def test_what_cannot_be_is_told_at_once(
    tmp_path: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("fastapi")
    assert main(["serve", "--store", str(tmp_path / "store"), *more]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fastapi")
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", "--store", str(tmp_path / "store"), "--port", port]) == 1
    assert f"127.0.0.1:{port}: cannot be listened at (address already in use)" in capsys.readouterr().err


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in [name for name in sys.modules if name.startswith("avloc.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette.datastructures", None)
    monkeypatch.setitem(sys.modules, "h11", None)
    assert main(["serve"]) == 1
    error = capsys.readouterr().err
    assert "pip install 'avloc[serve]'" in error and error.count("\n") == 1
