# ruff: noqa: E501 - a table
"""Which of the encoders' own classes mean a class of ours, for yardsticks that train nothing.

Names are AudioSet's for sounds and ImageNet's for pictures; `a..b` is a range in ImageNet's order. A class that an
encoder does not know has the nearest thing that it does know.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DOGS = "Chihuahua..Mexican hairless dog (xoloitzcuintli)"
BIRDS = "brambling..chickadee"

# class: (AudioSet names, ImageNet names), each separated by "|"
GROUNDING: dict[str, tuple[str, str]] = {
    "airplane flyby": ("Aircraft|Fixed-wing aircraft, airplane|Jet engine", "airliner|military aircraft|airplane wing"),
    "bee buzzing": ("Bee, wasp, etc.|Buzz", "bee|fly"),
    "bird chirping": ("Bird|Bird vocalization, bird call, bird song|Chirp, tweet", f"{BIRDS}|American dipper|african grey parrot..toucan"),
    "bull bellowing": ("Moo|Cattle, bovinae", "ox|water buffalo|bison"),
    "car passing by": ("Car passing by|Car", "sports car|convertible|minivan|station wagon|taxicab|jeep|limousine|pickup truck|radiator grille"),
    "cat meowing": ("Meow|Cat", "tabby cat..Egyptian Mau"),
    "church bell ringing": ("Church bell|Bell", "church|bell tower|bell or wind chime"),
    "crow cawing": ("Caw|Crow", "coucal|magpie|American coot"),
    "cymbal crashing": ("Cymbal|Hi-hat", "gong|drum"),
    "dog barking": ("Bark|Dog|Bow-wow", DOGS),
    "driving buses": ("Bus", "minibus|school bus|trolleybus"),
    "driving motorcycle": ("Motorcycle", "moped|motor scooter"),
    "duck quacking": ("Quack|Duck", "drake (male duck)|red-breasted merganser|goose"),
    "fire truck siren": ("Fire engine, fire truck (siren)|Siren|Emergency vehicle", "fire truck"),
    "fireworks banging": ("Fireworks|Firecracker", "torch|fountain|volcano"),
    "frog croaking": ("Croak|Frog", "American bullfrog|tree frog|tailed frog"),
    "hammering nails": ("Hammer", "hammer|metal nail"),
    "horse clip-clop": ("Clip-clop|Horse", "common sorrel horse|horse-drawn vehicle"),
    "lions roaring": ("Roaring cats (lions, tigers)|Roar", "lion"),
    "orchestra": ("Orchestra|String section", "stage|cello|violin"),
    "owl hooting": ("Hoot|Owl", "great grey owl"),
    "pig grunting": ("Oink|Pig", "pig|wild boar"),
    "playing accordion": ("Accordion", "accordion"),
    "playing acoustic guitar": ("Acoustic guitar|Guitar", "acoustic guitar"),
    "playing banjo": ("Banjo", "banjo"),
    "playing base guitar": ("Bass guitar", "electric guitar"),
    "playing bongo": ("Tabla|Wood block", "drum"),
    "playing cello": ("Cello", "cello"),
    "playing clarinet": ("Clarinet", "oboe|flute"),
    "playing drum kit": ("Drum kit", "drum|drumstick"),
    "playing electric guitar": ("Electric guitar", "electric guitar"),
    "playing electronic organ": ("Electronic organ|Organ|Hammond organ", "pipe organ|upright piano"),
    "playing flute": ("Flute", "flute"),
    "playing french horn": ("French horn", "French horn"),
    "playing harmonica": ("Harmonica", "harmonica"),
    "playing harp": ("Harp", "harp"),
    "playing piano": ("Piano", "grand piano|upright piano"),
    "playing saxophone": ("Saxophone", "saxophone"),
    "playing snare drum": ("Snare drum|Drum roll", "drum"),
    "playing timpani": ("Timpani", "drum|steel drum"),
    "playing trombone": ("Trombone", "trombone"),
    "playing trumpet": ("Trumpet", "cornet trumpet"),
    "playing violin": ("Violin, fiddle", "violin"),
    "rooster crowing": ("Crowing, cock-a-doodle-doo|Chicken, rooster", "rooster|hen"),
    "sawing": ("Sawing", "hatchet|letter opener"),
    "sea waves": ("Waves, surf|Ocean", "beach|lakeshore|promontory|sandbar|breakwater"),
    "shaking maracas": ("Maraca|Rattle (instrument)", "maraca"),
    "sheep bleating": ("Bleat|Sheep", "ram (adult male sheep)|bighorn sheep"),
    "thunder": ("Thunder|Thunderstorm", "volcano"),
    "toilet flushing": ("Toilet flush", "toilet seat"),
    "train horning": ("Train horn|Train whistle", "steam locomotive|electric locomotive|high-speed train|railroad car|freight car"),
    "turkey gobbling": ("Gobble|Turkey", "black grouse|ruffed grouse|prairie grouse|peafowl"),
    "vacuum cleaner cleaning floors": ("Vacuum cleaner", "vacuum cleaner"),
    "water burbling": ("Stream|Gurgling|Trickle, dribble", "fountain|valley|dam|water bottle"),
}  # fmt: skip


def mapping(labels: Sequence[str], audio: Sequence[str], visual: Sequence[str]) -> list[tuple[list[int], list[int]]]:
    """For each label the indices among the encoders' classes: (AudioSet, ImageNet).

    Raises:
        KeyError, ValueError: a label or a name is not known.
    """
    return [(_indices(GROUNDING[n][0], audio), _indices(GROUNDING[n][1], visual)) for n in labels]


def mapped_scores(
    labels: Sequence[str],
    audio_classes: Sequence[str],
    visual_classes: Sequence[str],
    audio_scores: NDArray[np.float32],
    visual_logits: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Scores of our classes by ear and by eye, each (T, K): the surest sound class, the sum of picture classes."""
    p = np.exp(visual_logits - visual_logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    groups = mapping(labels, audio_classes, visual_classes)
    hear = np.stack([audio_scores[:, a].max(axis=1) for a, _ in groups], axis=1)
    see = np.stack([p[:, v].sum(axis=1) for _, v in groups], axis=1)
    return hear, see


def _indices(names: str, known: Sequence[str]) -> list[int]:
    found: list[int] = []
    for name in names.split("|"):
        if ".." in name:
            first, last = name.split("..")
            found += range(known.index(first), known.index(last) + 1)
        else:
            found.append(known.index(name))
    return found
