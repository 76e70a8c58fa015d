# ruff: noqa: E501 - a table
"""The default model's vocabulary: which of the encoders' own classes mean a class of ours.

    python tools/vocabulary.py          # writes docs/vocabulary.md

Each class has names of AudioSet (by ear) and of ImageNet (by eye), separated by "|". `name*0.5` weighs one, 1 is
the default; `a..b` is a range in ImageNet's order. By eye, `@face` is the face detector, and `#name` a class of COCO,
by the object detector. By ear, the classes of
VOICES count by the pitch of the voice as well: YAMNet has no classes of men's and women's voices.

The table was written from the names of the classes, before any of it was measured; later only the weights of whole
families of instruments, of children's speech, and of violin and cello by eye were changed, on composed validation
videos and the sample video.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.features.extractors.efficientnet_lite0 import EfficientNetLite0
from avloc.features.extractors.yamnet import YamNet
from avloc.features.extractors.yolov3_tiny import YoloV3Tiny

Float32 = NDArray[np.float32]
Matrix = NDArray[np.float32]

FACE = "@face"
DOGS = "Chihuahua..Mexican hairless dog (xoloitzcuintli)|#dog"
CATS = "tabby cat..Egyptian Mau|#cat"
BIRDS = "brambling..chickadee|American dipper|african grey parrot..toucan|#bird"
CARS = "sports car|convertible|minivan|station wagon|taxicab|jeep|limousine|pickup truck|radiator grille|car wheel*0.7|ford model t|police van*0.5|#car|#truck*0.5"
TRAINS = "steam locomotive|electric locomotive|high-speed train|railroad car|freight car|#train"
BABY = f"{FACE}|diaper|baby bib|baby pacifier|bassinet|infant bed|cradle|sleeping bag*0.5|poke bonnet*0.5|#person*0.2|#teddy bear*0.3"
SPEECH = "Speech|Narration, monologue|Conversation|Speech synthesizer*0.5"
SINGING = "Singing|Rapping*0.8|Yodeling|Chant|Humming*0.7|Vocal music*0.6|A capella*0.6"
DRUMS = "drum|drumstick"
HIT = "Whack, thwack|Bouncing|Slap, smack*0.7|Tap*0.5"

# Sounds of things that no class of ours means: where one is heard, it explains what others seem to hear.
FOREIGN = (
    "Snoring|Walk, footsteps|Gargling|Heart sounds, heartbeat|Neigh, whinny|Cowbell|Pigeon, dove|Rodents, rats, mice|Cricket|"
    "Mosquito|Snake|Whale vocalization|Sitar..Zither|Synthesizer..Harpsichord|Drum machine|Tambourine|Tubular bells|"
    "Marimba, xylophone..Steelpan|Double bass|Jingle bell..Wind chime|Bagpipes..Scratching (performance technique)|"
    "Rowboat, canoe, kayak..Ship|Car alarm|Ice cream truck, ice cream van|Subway, metro, underground|Doorbell|Knock|"
    "Dishes, pots, and pans..Bathtub (filling or washing)|Toothbrush|Electric toothbrush|Zipper (clothing)..Shuffling cards|"
    "Typewriter|Writing|Telephone dialing, DTMF..Foghorn|Steam whistle|Ratchet, pawl..Single-lens reflex camera|Jackhammer|"
    "Filing (rasp)..Drill|Glass..Shatter|Splash, splatter|Boiling|Sonar"
)

# UnAV-100's classes that both encoders know something of.
UNAV: dict[str, tuple[str, str]] = {
    "man speaking": (SPEECH, FACE),
    "woman speaking": (SPEECH, FACE),
    "kid speaking": ("Child speech, kid speaking|Speech*0.3", FACE),
    "male singing": (SINGING, f"{FACE}|microphone|stage*0.7|#person*0.15"),
    "people laughing": ("Laughter|Giggle|Snicker|Belly laugh|Chuckle, chortle", FACE),
    "car passing by": ("Car passing by|Car|Vehicle*0.4|Motor vehicle (road)*0.4|Traffic noise, roadway noise*0.6", CARS),
    "baby laughter": ("Baby laughter|Giggle*0.3", BABY),
    "people clapping": ("Clapping|Applause", f"{FACE}|stage*0.4"),
    "people shouting": ("Shout|Yell|Screaming|Children shouting|Bellow", f"{FACE}|#person*0.2"),
    "people crowd": ("Crowd|Hubbub, speech noise, speech babble|Chatter", f"{FACE}|stage|scoreboard|front curtain*0.5|#person*0.5"),
    "female singing": (SINGING, f"{FACE}|microphone|stage*0.7|#person*0.15"),
    "dog barking": ("Bark|Bow-wow|Yip|Dog*0.8", DOGS),
    "playing acoustic guitar": ("Acoustic guitar|Guitar*0.7|Strum*0.7|Steel guitar, slide guitar*0.6", "acoustic guitar|electric guitar*0.3"),
    "people eating": ("Chewing, mastication|Biting|Crunch*0.5", f"{FACE}|plate*0.7|hot pot*0.7|soup bowl*0.7|pizza*0.7|cheeseburger*0.7|hot dog*0.7|burrito*0.7|#pizza*0.7|#hot dog*0.7|#sandwich*0.7|#donut*0.7|#cake*0.7|#bowl*0.5|#spoon*0.5|#fork*0.5|#apple*0.5|#banana*0.5"),
    "people cheering": ("Cheering|Whoop", f"{FACE}|stage|scoreboard|front curtain*0.5|#person*0.5"),
    "basketball bounce": ("Basketball bounce|Bouncing*0.7", "basketball|#sports ball*0.6"),
    "playing tennis": (HIT, "tennis ball|racket|#tennis racket"),
    "baby babbling": ("Babbling|Child speech, kid speaking*0.6|Baby laughter*0.3", BABY),
    "playing badminton": (HIT, "racket|#tennis racket*0.7"),
    "cat meowing": ("Meow|Cat*0.8|Caterwaul|Purr*0.6", CATS),
    "playing piano": ("Piano|Electric piano*0.8|Keyboard (musical)*0.7", "grand piano|upright piano"),
    "baby crying": ("Baby cry, infant cry|Crying, sobbing*0.5|Whimper*0.4", BABY),
    "people burping": ("Burping, eructation|Hiccup*0.4", FACE),
    "orchestra": ("Orchestra|String section*0.8|Classical music*0.5", "stage|cello*0.7|violin*0.7|French horn*0.5|oboe*0.5|bassoon*0.5"),
    "playing drum kit": ("Drum kit|Drum*0.7|Bass drum*0.7|Cymbal*0.6|Hi-hat*0.6|Snare drum*0.5", DRUMS),
    "playing violin": ("Violin, fiddle|Bowed string instrument*0.3", "violin|cello*0.4"),
    "machine gun shooting": ("Machine gun|Gunshot, gunfire|Fusillade|Artillery fire*0.5|Cap gun*0.7", "assault rifle|rifle|revolver|cannon*0.5|tank*0.5|military uniform*0.5|holster*0.5"),
    "child singing": (f"Child singing|{SINGING}", f"{FACE}|microphone*0.7|stage*0.5|#person*0.15"),
    "playing electronic organ": ("Electronic organ|Hammond organ|Organ*0.8", "pipe organ|upright piano*0.6"),
    "people sneezing": ("Sneeze", FACE),
    "dog howling": ("Howl|Canidae, dogs, wolves*0.5", f"{DOGS}|grey wolf..coyote"),
    "playing base guitar": ("Bass guitar", "electric guitar"),
    "auto racing": ("Race car, auto racing|Accelerating, revving, vroom*0.7|Skidding*0.4", "race car|go-kart|sports car*0.7|car wheel*0.4|convertible*0.4|#car"),
    "sea waves": ("Waves, surf|Ocean", "beach|lakeshore|promontory|sandbar|breakwater|cliff*0.7"),
    "playing table tennis": (f"{HIT}|Ping*0.7", "ping-pong ball|racket*0.6|pool table*0.4|#tennis racket*0.4|#sports ball*0.3"),
    "people coughing": ("Cough|Throat clearing*0.7", FACE),
    "people whispering": ("Whispering", FACE),
    "playing ukulele": ("Ukulele|Plucked string instrument*0.2", "acoustic guitar|banjo*0.5|electric guitar*0.4"),
    "sheep bleating": ("Bleat|Sheep*0.9|Goat*0.9", "ram (adult male sheep)|bighorn sheep|Alpine ibex*0.8|llama*0.4|#sheep"),
    "playing tabla": ("Tabla", "drum"),
    "fire truck siren": ("Fire engine, fire truck (siren)|Siren*0.8|Emergency vehicle*0.8", "fire truck|#truck*0.5|#bus*0.2"),
    "playing volleyball": (f"{HIT}|Basketball bounce*0.6", "volleyball ball|#sports ball*0.6"),
    "beat boxing": ("Beatboxing", f"{FACE}|microphone"),
    "playing trumpet": ("Trumpet|Brass instrument*0.3", "cornet trumpet"),
    "thunder": ("Thunder|Thunderstorm", "volcano|lakeshore*0.5|promontory*0.5|geyser*0.5|cliff*0.5"),
    "playing cello": ("Cello|Bowed string instrument*0.2", "cello|violin*0.4"),
    "playing harp": ("Harp", "harp"),
    "hammering nails": ("Hammer|Thunk*0.3", "hammer|metal nail|tool kit*0.5"),
    "sailing": ("Sailboat, sailing ship|Boat, Water vehicle*0.6|Wind*0.5|Wind noise (microphone)*0.5|Waves, surf*0.3", "yawl (boat)|schooner|catamaran|trimaran|#boat"),
    "telephone bell ringing": ("Telephone bell ringing|Telephone|Ringtone", "rotary dial telephone|payphone|mobile phone|#cell phone"),
    "frog croaking": ("Croak|Frog", "American bullfrog|tree frog|tailed frog"),
    "driving motorcycle": ("Motorcycle", "moped|motor scooter|crash helmet*0.5|disc brake*0.6|#motorbike"),
    "playing clarinet": ("Clarinet", "oboe|flute*0.7|bassoon*0.5"),
    "train wheels squealing": ("Train wheels squealing|Railroad car, train wagon|Train*0.6|Rail transport*0.5", TRAINS),
    "playing flute": ("Flute", "flute"),
    "playing trombone": ("Trombone|Brass instrument*0.3", "trombone"),
    "bull bellowing": ("Moo|Cattle, bovinae*0.9", "ox|water buffalo|bison|#cow"),
    "raining": ("Rain|Rain on surface|Raindrop", "umbrella|window screen*0.5|car mirror*0.5|window shade*0.3|rain barrel|greenhouse*0.3|fountain*0.3|patio*0.3|#umbrella"),
    "skidding": ("Skidding|Tire squeal", f"{CARS}|race car|go-kart"),
    "chainsawing trees": ("Chainsaw", "chainsaw"),
    "police car siren": ("Police car (siren)|Siren*0.7|Emergency vehicle*0.7", "police van|taxicab*0.4|minivan*0.4|#car*0.3|#truck*0.2"),
    "playing saxophone": ("Saxophone", "saxophone"),
    "fireworks banging": ("Fireworks|Firecracker", "torch|fountain|volcano|spotlight|geyser*0.5|pinwheel"),
    "driving buses": ("Bus", "minibus|school bus|trolleybus|recreational vehicle*0.5|#bus"),
    "airplane flyby": ("Aircraft|Fixed-wing aircraft, airplane|Jet engine|Aircraft engine|Propeller, airscrew*0.8", "airliner|military aircraft|airplane wing|#aeroplane"),
    "people whistling": ("Whistling", FACE),
    "train horning": ("Train horn|Train whistle", TRAINS),
    "vacuum cleaner cleaning floors": ("Vacuum cleaner", "vacuum cleaner"),
    "playing accordion": ("Accordion", "accordion"),
    "bird chirping": ("Bird|Bird vocalization, bird call, bird song|Chirp, tweet|Squawk*0.7", BIRDS),
    "vehicle honking": ("Vehicle horn, car horn, honking|Toot*0.7|Air horn, truck horn", f"{CARS}|semi-trailer truck|garbage truck|moving van|tow truck|traffic light*0.7|minibus*0.5|trolleybus*0.5|#bus|#traffic light"),
    "church bell ringing": ("Church bell|Bell*0.6|Change ringing (campanology)", "church|bell tower|bell or wind chime|monastery*0.7"),
    "playing snare drum": ("Snare drum|Drum roll|Rimshot*0.7", DRUMS),
    "typing on computer keyboard": ("Computer keyboard|Typing", "computer keyboard|typewriter keyboard*0.5|keyboard space bar|laptop computer|notebook computer|desktop computer|computer mouse|#keyboard|#laptop|#mouse"),
    "singing choir": ("Choir", f"stage|altar|academic gown|vestment|pipe organ*0.5|{FACE}*0.7|#person*0.2"),
    "lions roaring": ("Roaring cats (lions, tigers)|Roar", "lion|tiger*0.6"),
    "helicopter": ("Helicopter", "military aircraft|airliner*0.4|space shuttle*0.3|airplane wing*0.3|#aeroplane*0.4"),
    "horse clip-clop": ("Clip-clop|Horse*0.8", "common sorrel horse|horse-drawn vehicle|#horse"),
    "water burbling": ("Stream|Gurgling|Trickle, dribble|Waterfall*0.8", "fountain|valley|dam|geyser*0.5"),
    "lawn mowing": ("Lawn mower", "lawn mower|tractor*0.3|combine harvester*0.3"),
    "playing banjo": ("Banjo", "banjo"),
    "playing harmonica": ("Harmonica", "harmonica"),
    "people sobbing": ("Crying, sobbing|Whimper|Wail, moan", FACE),
    "ambulance siren": ("Ambulance (siren)|Siren*0.7|Emergency vehicle*0.7", "ambulance|#truck*0.3|#bus*0.3|#car*0.1"),
    "skateboarding": ("Skateboard", "#skateboard"),
    "hair dryer drying": ("Hair dryer", "hair dryer|#hair drier"),
}  # fmt: skip

# What else the packages both show and sound; not in UnAV-100.
EXTRA: dict[str, tuple[str, str]] = {
    "bee buzzing": ("Bee, wasp, etc.|Buzz*0.8|Insect*0.6|Fly, housefly*0.8", "bee|fly"),
    "crow cawing": ("Caw|Crow", "coucal|magpie|American coot|#bird*0.3"),
    "cymbal crashing": ("Cymbal|Hi-hat*0.6|Gong*0.6", "gong"),
    "duck quacking": ("Quack|Duck|Honk*0.5|Goose*0.6", "drake (male duck)|red-breasted merganser|goose|American coot*0.5|#bird*0.4"),
    "owl hooting": ("Hoot|Owl", "great grey owl|#bird*0.2"),
    "pig grunting": ("Oink|Pig", "pig|wild boar|warthog*0.7"),
    "playing bongo": ("Wood block*0.6|Tabla*0.5", "drum"),
    "playing electric guitar": ("Electric guitar|Guitar*0.5|Tapping (guitar technique)*0.7", "electric guitar"),
    "playing french horn": ("French horn|Brass instrument*0.3", "French horn"),
    "playing timpani": ("Timpani", "drum|steel drum"),
    "rooster crowing": ("Crowing, cock-a-doodle-doo|Chicken, rooster*0.8|Fowl*0.5", "rooster|hen|#bird*0.3"),
    "sawing": ("Sawing", "hatchet|letter opener|block plane*0.5"),
    "shaking maracas": ("Maraca|Rattle (instrument)*0.7", "maraca"),
    "toilet flushing": ("Toilet flush", "toilet seat|#toilet"),
    "turkey gobbling": ("Gobble|Turkey", "black grouse|ruffed grouse|prairie grouse|peafowl|#bird*0.4"),
}  # fmt: skip

TABLE = UNAV | EXTRA
CLASSES: tuple[str, ...] = tuple(sorted(TABLE))

# UnAV-100's classes that are left out, and why.
LEFT_OUT: dict[str, str] = {
    "wind noise": "nothing to see",
    "engine knocking": "no picture class of engines",
    "striking bowling": "unknown to both encoders",
    "people slapping": "no picture class of the act; the sound class is rarely sure",
    "people nose blowing": "no sound class",
    "people running": "no picture class",
    "playing cornet": "neither encoder tells it from a trumpet",
    "playing erhu": "unknown to both encoders",
    "tap dancing": "unknown to both encoders",
    "playing synthesizer": "no picture class",
    "people slurping": "no sound class",
    "playing zither": "no picture class",
    "people battle cry": "no sound class",
    "rope skipping": "unknown to both encoders",
}

# Whose voice: of the pitches below, the one that a class of ours needs besides its sound classes.
VOICES: dict[str, str] = {
    "man speaking": "male", "male singing": "male",
    "woman speaking": "female", "female singing": "female",
    "kid speaking": "child", "child singing": "child",
}  # fmt: skip


# Mean and spread of the pitch of voices in octaves above 100 Hz, and how common each is (events in UnAV-100). Adults'
# speech after Hillenbrand et al. 1995 (131 and 220 Hz, children 237 Hz and more), wider for lively speech; singing by
# the usual ranges of voices.
PITCH: dict[str, tuple[float, float, float, int]] = {
    "man speaking": (0.4, 0.35, 2515, 1), "woman speaking": (1.1, 0.3, 1519, 1), "kid speaking": (1.6, 0.35, 725, 1),
    "male singing": (0.9, 0.5, 710, 2), "female singing": (1.7, 0.45, 442, 2), "child singing": (1.9, 0.4, 268, 2),
}  # fmt: skip

# Classes that are hard to tell apart; the network is shown the rivals of each.
ALIKE: tuple[tuple[str, ...], ...] = (
    ("playing drum kit", "playing snare drum", "playing timpani", "playing bongo", "playing tabla", "cymbal crashing", "shaking maracas"),
    ("playing acoustic guitar", "playing electric guitar", "playing base guitar", "playing banjo", "playing ukulele", "playing harp"),
    ("playing violin", "playing cello", "orchestra"),
    ("playing trumpet", "playing trombone", "playing french horn", "playing saxophone", "orchestra"),
    ("playing clarinet", "playing flute", "playing harmonica", "playing accordion", "playing saxophone"),
    ("playing piano", "playing electronic organ", "playing accordion"),
    ("man speaking", "woman speaking", "kid speaking", "baby babbling", "people shouting", "people whispering"),
    ("male singing", "female singing", "child singing", "singing choir", "beat boxing"),
    ("people laughing", "baby laughter"),
    ("baby crying", "people sobbing", "baby babbling", "baby laughter"),
    ("people cheering", "people crowd", "people clapping", "people shouting"),
    ("people coughing", "people sneezing", "people burping"),
    ("car passing by", "auto racing", "skidding", "driving motorcycle", "driving buses", "vehicle honking"),
    ("fire truck siren", "police car siren", "ambulance siren"),
    ("train horning", "train wheels squealing"),
    ("airplane flyby", "helicopter"),
    ("dog barking", "dog howling"),
    ("bird chirping", "crow cawing", "owl hooting", "rooster crowing", "duck quacking", "turkey gobbling"),
    ("bull bellowing", "sheep bleating", "pig grunting"),
    ("sea waves", "water burbling", "raining", "sailing"),
    ("thunder", "fireworks banging", "machine gun shooting"),
    ("vacuum cleaner cleaning floors", "hair dryer drying", "lawn mowing", "chainsawing trees"),
    ("playing tennis", "playing badminton", "playing table tennis", "playing volleyball", "basketball bounce"),
    ("hammering nails", "sawing"),
)  # fmt: skip


def grounding(labels: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The constants of avloc.models.grounded.Grounding."""
    sounds = audio_matrix(labels)
    most = int((sounds > 0).sum(axis=1).max())
    order = np.argsort(-sounds, axis=1, kind="stable")[:, :most]
    voice = np.zeros((len(labels), 4), np.float32)
    voice[:, 1] = 1
    for i, label in enumerate(labels):
        if label in PITCH:
            mean, spread, count, group = PITCH[label]
            total = sum(c for _, _, c, g in PITCH.values() if g == group)
            voice[i] = mean, spread, np.log(count / total), group
    alike = np.zeros((len(labels), len(labels)), np.float32)
    for group_of in ALIKE:
        rows = [labels.index(name) for name in group_of if name in labels]
        alike[np.ix_(rows, rows)] = 1
    np.fill_diagonal(alike, 0)
    return {
        "seen": visual_matrix(labels),
        "sound_index": order.astype(np.int64),
        "sound_weight": np.take_along_axis(sounds, order, axis=1),
        "voice": voice,
        "alike": alike,
        "foreign": _weights(FOREIGN, YamNet.classes) * (sounds.max(axis=0) == 0),
        "context": np.array([YamNet.classes.index(n) for n in ("Silence", "Speech", "Music")], np.int64),
    }


def audio_matrix(labels: Sequence[str]) -> Matrix:
    """Weights (K, 521) of AudioSet's classes."""
    return _matrix(labels, 0, YamNet.classes)


def visual_matrix(labels: Sequence[str]) -> Matrix:
    """Weights (K, 1081) of ImageNet's classes, of a face, and of COCO's classes."""
    return _matrix(labels, 1, (*EfficientNetLite0.classes, FACE, *(f"#{name}" for name in YoloV3Tiny.classes)))


def _matrix(labels: Sequence[str], side: int, known: Sequence[str]) -> Matrix:
    return np.stack([_weights(TABLE[label][side], known) for label in labels])


def _weights(terms: str, known: Sequence[str]) -> Float32:
    row = np.zeros(len(known), np.float32)
    for term in terms.split("|"):
        name, _, weight = term.partition("*")
        first, _, last = name.partition("..")
        low = known.index(first)
        high = known.index(last) if last else low
        row[low : high + 1] = np.maximum(row[low : high + 1], float(weight or 1))
    return row


def document() -> str:
    """The table for people."""
    lines = [
        "# Vocabulary of the default model",
        "",
        f"{len(UNAV)} of UnAV-100's 100 classes and {len(EXTRA)} more. Each is grounded by ear in classes of AudioSet; "
        "by eye in classes of ImageNet,",
        "in a face detector, and (#) in classes of COCO by an object detector. A number is a weight where it is not 1, "
        "`a..b` a",
        "range in ImageNet's order. Generated by `tools/vocabulary.py`.",
        "",
        "| class | by ear | by eye |",
        "|---|---|---|",
    ]
    for name, (ear, eye) in TABLE.items():
        star = "*" if name in EXTRA else ""
        voice = f"; pitch of a {VOICES[name]} voice" if name in VOICES else ""
        lines.append(f"| {name}{star} | {_words(ear)}{voice} | {_words(eye)} |")
    lines += ["", "\\* not a class of UnAV-100.", "", "Left out, for want of something to ground them in:", ""]
    lines += [f"- {name}: {why}" for name, why in LEFT_OUT.items()]
    return "\n".join(lines) + "\n"


def _words(terms: str) -> str:
    words = []
    for term in terms.split("|"):
        name, _, weight = term.partition("*")
        words.append(name.replace(FACE, "a face") + (f" {weight}" if weight else ""))
    return "; ".join(words)


if __name__ == "__main__":
    (Path(__file__).parents[1] / "docs" / "vocabulary.md").write_text(document(), encoding="utf-8")
