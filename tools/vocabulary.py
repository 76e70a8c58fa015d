"""Writes docs/vocabulary.md, the default model's vocabulary as a table for people.

python tools/vocabulary.py
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from avloc.recipes.vocabulary import FACE, Vocabulary, read_vocabulary


def document(vocabulary: Vocabulary) -> str:
    """The page."""
    extra = sum(word.extra for word in vocabulary.classes.values())
    lines = [
        "# Vocabulary of the default model",
        "",
        f"{len(vocabulary.classes) - extra} of UnAV-100's 100 classes and {extra} more. Each is grounded by ear in "
        "classes of AudioSet; by eye in classes of ImageNet,",
        "in a face detector, and (#) in classes of COCO by an object detector. A number is a weight where it is not "
        "1, `a..b` a",
        "range in ImageNet's order. Written by `tools/vocabulary.py` from `src/avloc/recipes/vocabulary.toml`; a "
        "file of the same",
        "form is a vocabulary of your own (`avloc train grounded-composed --vocabulary my.toml`, "
        "[composing.md](composing.md)).",
        "",
        "| class | by ear | by eye |",
        "|---|---|---|",
    ]
    for name, word in vocabulary.classes.items():
        star = "*" if word.extra else ""
        voice = f"; pitch of a {word.voice.kind} voice" if word.voice else ""
        ear, eye = _words(vocabulary.terms(word.ear)), _words(vocabulary.terms(word.eye))
        lines.append(f"| {name}{star} | {ear}{voice} | {eye} |")
    lines += ["", "\\* not a class of UnAV-100.", "", "Left out, for want of something to ground them in:", ""]
    lines += [f"- {name}: {why}" for name, why in vocabulary.left_out.items()]
    lines += ["", "Goes with anything and speaks against no class; all else that no class means does:", ""]
    lines += [f"- by ear: {_words(vocabulary.generic_sounds)}", f"- by eye: {_words(vocabulary.generic_sights)}"]
    return "\n".join(lines) + "\n"


def _words(terms: Iterable[str]) -> str:
    words = []
    for term in terms:
        name, _, weight = term.partition("*")
        words.append(name.replace(FACE, "a face") + (f" {weight}" if weight else ""))
    return "; ".join(words)


if __name__ == "__main__":
    page = Path(__file__).parents[1] / "docs" / "vocabulary.md"
    page.write_text(document(read_vocabulary()), encoding="utf-8")
