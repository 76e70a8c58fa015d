"""What `--help` says: examples for each verb, types that a person can read, no default that is none."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from avloc.cli.main import VERBS, function_of, main


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main([*words, "--help"])
    assert stopped.value.code == 0
    return capsys.readouterr().out


def test_the_verbs_are_listed_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "examples:" in out and all(f"\n  {verb} " in out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_the_list_says_what_the_function_does(verb: str) -> None:
    first = re.split(r"[.:](?:\s|$)", function_of(verb).__doc__ or "", maxsplit=1)[0]
    assert VERBS[verb] == " ".join(first.split())


def test_the_list_is_said_without_loading_what_does_the_work() -> None:
    code = (
        "import sys; from avloc.cli.main import main; main(['--help']);"
        "sys.exit(' '.join({'av', 'onnxruntime', 'tyro', 'avloc.cli.detect'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr.strip() == ""


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_examples_and_plain_types(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, verb)
    assert "\nexamples:\n  avloc " in out
    for odd in ("{None}", "(default: None)", "(default: )", "(default: False)", "[[", "0000000"):
        assert odd not in " ".join(out.split())


@pytest.mark.parametrize("words", [("train", "default"), ("train", "loco-small"), ("paper", "all")])
def test_only_settings_of_a_recipe_take_none(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, *words)
    assert "--out PATH" in out
    taking = re.findall(r"--(\S+) \{None\}", out)
    assert all("." in flag or flag == "input-dropout" for flag in taking)


def test_a_recipe_without_a_network_of_its_own_is_not_described(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["describe", "default"])
    assert "Available subcommands: loco-unav100-onepeace" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["--help", "--version", "recipes"])
def test_a_reader_that_leaves_is_no_fault(asked: str) -> None:
    process = subprocess.Popen([sys.executable, "-m", "avloc", asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() == 1
