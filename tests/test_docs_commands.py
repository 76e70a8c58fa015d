"""Every command in README, docs and `--help` is understood: names, flags, kinds of values."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from avloc.cli import main as command_line
from avloc.cli.train import train_verb

ROOT = Path(__file__).parents[1]
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^    avloc ([a-z].*)$", re.MULTILINE)


def commands() -> Iterator[tuple[str, str]]:
    """Page and command."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text("utf-8").replace("\\\n", " ")
        text = FENCED.sub(lambda block: block[0].replace("\navloc ", "\n    avloc "), text)
        for found in LINE.finditer(text):
            if found[1].startswith("paper "):  # its commands begin to work while they are told apart
                continue
            yield page.name, plain(found[1])


def examples() -> Iterator[tuple[str, str]]:
    """Command and example of its help."""
    helps = {"": command_line.DESCRIPTION} | {
        name: command_line.function_of(name).__doc__ or "" for name in command_line.VERBS
    }
    for name, text in helps.items():
        for found in re.finditer(r"^ +avloc ([a-z].*)$", text.replace("\\\n", " "), re.MULTILINE):
            if not found[1].startswith("paper "):
                yield f"{name} --help", plain(found[1])


def plain(line: str) -> str:
    """Without a remark behind it, or a place for what it prints."""
    return re.split(r"  +#|   +| > ", line, maxsplit=1)[0].strip()


def idle(command: Callable[..., int], asked: list[str]) -> Callable[..., int]:
    """A command with the same flags that does nothing."""

    def run(*given: Any, **named: Any) -> int:
        asked.append(command.__name__)
        return 0

    run.__doc__, run.__annotations__ = command.__doc__, get_type_hints(command, include_extras=True)
    vars(run)["__signature__"] = inspect.signature(command)
    return run


@pytest.mark.parametrize(("page", "line"), sorted({*commands(), *examples()}))
def test_commands_of_the_docs_are_understood(
    page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "house.yaml").write_text("min_length: 0.5\n")  # read before the command line is
    words, asked = shlex.split(line), list[str]()
    verb = words[0]
    assert verb in command_line.VERBS
    real = train_verb(words) if verb == "train" else command_line.function_of(verb)
    monkeypatch.setattr("avloc.cli.train.train_verb", lambda _: idle(real, asked))
    monkeypatch.setattr(command_line, "function_of", lambda _: idle(real, asked))
    try:
        status = command_line.main(words)
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    assert status == 0 and asked, capsys.readouterr().err
