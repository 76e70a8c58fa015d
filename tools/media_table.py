# ruff: noqa: E501 - a table
"""Which file of which Debian package shows or sounds like which class; chosen by looking and with a tagger.

A source is `package folder:path`, with `#upper` for the upper part of a picture; `soundfont:program/seed` is a melody
of that General MIDI program. Each goes
with its split: t train, v validation, h test (on unseen media), s sample (in the sample video only). The `tags` are
the AudioSet classes that the tagger must hear in a sound of the class for it to be kept. Class names that
UnAV-100 has are written as there; EXTRA_CLASSES are not in UnAV-100.
"""

from __future__ import annotations

from dataclasses import dataclass

PACKAGES = {
    "stamps": ("tuxpaint-stamps-default", "usr/share/tuxpaint/stamps", "GPL-2"),
    "gcompris": ("gcompris-qt-data", "gcompris/src/activities", "see the package's copyright file"),
    "scratch": ("scratch", "usr/share/scratch/Media", "CC-BY-SA-3.0"),
    "sonicpi": ("sonic-pi-samples", "usr/share/sonic-pi/samples", "CC0-1.0"),
    "simutrans": ("simutrans-pak64", "usr/share/games/simutrans/pak/sound", "Artistic-1.0"),
    "soundfont": ("fluid-soundfont-gm", "usr/share/sounds/sf2/FluidR3_GM.sf2", "MIT"),
}

# Licences of gcompris files, from the package's copyright file and the README beside the media; first match wins.
GCOMPRIS_LICENCES = (
    ("explore_farm_animals/resource/animals/cat.webp", "public domain (Loliloli)"),
    ("explore_farm_animals/resource/animals/chicken.webp", "public domain (Tranquilles)"),
    ("explore_farm_animals/resource/animals/cow.webp", "public domain (Dohduhdah)"),
    ("explore_farm_animals/resource/animals/dog.webp", "public domain (Hans Kemperman)"),
    ("explore_farm_animals/resource/animals/duck.webp", "CC0-1.0 (Bernard Spragg)"),
    ("explore_farm_animals/resource/animals/horse.webp", "CC0-1.0 (Seth Zeigler)"),
    ("explore_farm_animals/resource/animals/owl.webp", "CC0-1.0 (Lepale)"),
    ("explore_farm_animals/resource/animals/pig.webp", "public domain (Teinesavaii)"),
    ("explore_farm_animals/resource/animals/sheep.webp", "CC0-1.0 (Rob Mitchell)"),
    ("explore_farm_animals/", "GPL-3 (Bruno Coudoin and others)"),
    ("instruments/resource/drum_kit.ogg", "CC-sampling-plus-1.0 (ocea)"),
    ("instruments/resource/trumpet.ogg", "GPL-3+ (Sylvain Dechy, Jérome blanchard, julie jules, chloé tuvuku)"),
    ("instruments/resource/", "GPL-3 (drawings: Bruno Coudoin and others) or GPL-3+ (sounds: Sylvain Dechy and others)"),
    ("memory-sound/resource/", "free-art (Lionel Allorge, Yves Combe)"),
    ("railroad/", "CC-BY-SA-4.0 (Timothée Giet); sound see the package's copyright file"),
)  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """The media of one class, one `split source` a line."""

    tags: tuple[str, ...]
    pictures: str = ""
    sounds: str = ""
    # Tags are a filter; a few recordings are right although the tagger is unsure of them.
    least: float = 0.1


CLASSES: dict[str, Rows] = {
    "dog barking": Rows(
        ("Dog", "Bark", "Bow-wow", "Yip", "Growling", "Domestic animals, pets"),
        """
        s gcompris:explore_farm_animals/resource/animals/dog.webp
        t stamps:animals/mammals/dogs/dog.png
        t stamps:animals/mammals/dogs/dingo.png
        v scratch:Costumes/Animals/dog1-a.png
        h scratch:Costumes/Animals/dog2-a.png
        """,
        """
        s gcompris:memory-sound/resource/LRBark_3_LA_cut.ogg
        t gcompris:memory-sound/resource/LRBark_1_LA_cut.ogg
        h gcompris:explore_farm_animals/resource/animals/dog.ogg
        v scratch:Sounds/Animal/Dog1.wav
        """,
    ),
    "cat meowing": Rows(
        ("Cat", "Meow", "Caterwaul", "Purr"),
        """
        t gcompris:explore_farm_animals/resource/animals/cat.webp
        t gcompris:erase/resource/kitten.webp
        t stamps:animals/mammals/cats/kitten.svg
        h stamps:seasonal/halloween/blackcat.png
        v scratch:Costumes/Animals/cat4.png
        h scratch:Costumes/Animals/cat2.gif
        """,
        """
        t gcompris:explore_farm_animals/resource/animals/cat.ogg
        t scratch:Sounds/Animal/Kitten.wav
        h scratch:Sounds/Animal/Cat.mp3
        v stamps:seasonal/halloween/blackcat.ogg
        """,
    ),
    "sheep bleating": Rows(
        ("Sheep", "Bleat", "Goat"),
        """
        t stamps:animals/mammals/bovines/ram.png
        t stamps:animals/mammals/bovines/sheep.png
        s gcompris:explore_farm_animals/resource/animals/sheep.webp
        h stamps:animals/mammals/bovines/sheep_lamb.png
        v stamps:animals/mammals/bovines/goat.png
        h gcompris:erase/resource/goat.webp
        """,
        """
        t stamps:animals/mammals/bovines/sheep.ogg
        s gcompris:explore_farm_animals/resource/animals/sheep.ogg
        v stamps:animals/mammals/bovines/goat.ogg
        h stamps:animals/mammals/bovines/sheep_lamb.ogg
        """,
    ),
    "bull bellowing": Rows(
        ("Cattle, bovinae", "Moo", "Roaring cats (lions, tigers)", "Grunt", "Animal"),
        """
        t stamps:animals/mammals/bovines/bull.png
        t stamps:animals/mammals/bovines/cow.png
        t gcompris:explore_farm_animals/resource/animals/cow.webp
        h stamps:animals/mammals/bovines/yak.png
        t stamps:animals/mammals/bovines/zebu.png
        t stamps:animals/mammals/bovines/bison.png
        h gcompris:erase/resource/calf.webp
        v scratch:Costumes/Animals/cow1.gif
        """,
        """
        t gcompris:explore_farm_animals/resource/animals/cow.ogg
        h stamps:animals/mammals/bovines/cow_white.ogg
        """,
    ),
    "lions roaring": Rows(
        ("Roaring cats (lions, tigers)", "Roar", "Growling", "Wild animals", "Animal"),
        """
        t stamps:animals/mammals/cats/lion.png
        h stamps:animals/mammals/cats/lion-2.png
        v scratch:Costumes/Animals/lion1-a.png
        """,
        """
        v stamps:animals/mammals/cats/tiger.ogg
        h stamps:animals/mammals/cats/lion.ogg
        t stamps:animals/mammals/bears/bear.ogg
        """,
    ),
    "horse clip-clop": Rows(
        ("Clip-clop", "Horse", "Neigh, whinny"),
        """
        t stamps:animals/mammals/equines/horse.png
        t gcompris:explore_farm_animals/resource/animals/horse.webp
        h gcompris:erase/resource/horse.webp
        t stamps:animals/mammals/equines/donkey.png
        v scratch:Costumes/Animals/horse2.png
        """,
        """
        t scratch:Sounds/Animal/HorseGallop.wav
        h simutrans:horse.wav
        """,
    ),
    "frog croaking": Rows(
        ("Frog", "Croak", "Wild animals"),
        """
        t stamps:animals/amphibians/frog.png
        h stamps:animals/amphibians/frog-1.png
        t scratch:Costumes/Animals/frog1.gif
        """,
        """
        t stamps:animals/amphibians/frog.ogg
        t scratch:Sounds/Effects/Rattle.wav
        h scratch:Sounds/Animal/Crickets.wav
        """,
    ),
    "bird chirping": Rows(
        ("Bird", "Bird vocalization, bird call, bird song", "Chirp, tweet", "Whistling"),
        """
        t stamps:animals/birds/blackbird.png
        t stamps:animals/birds/lark.png
        h stamps:animals/birds/adelaide-rosella.png
        t stamps:animals/birds/rainbow-lorikeet.png
        v stamps:animals/birds/pigeon.png
        h gcompris:explore_world_animals/resource/animals/scarlet_macaw.webp
        v gcompris:erase/resource/kingfisher.webp
        t stamps:animals/birds/magpie.png
        t stamps:animals/birds/swallow.svg
        """,
        """
        t stamps:animals/birds/blackbird.ogg
        t stamps:animals/birds/lark.ogg
        h simutrans:tropic.wav
        t simutrans:forest.wav
        v scratch:Sounds/Animal/Bird.wav
        """,
    ),
    "rooster crowing": Rows(
        ("Chicken, rooster", "Crowing, cock-a-doodle-doo", "Cluck", "Fowl"),
        """
        s gcompris:explore_farm_animals/resource/animals/chicken.webp
        t stamps:animals/birds/rooster.png
        v stamps:animals/birds/hen.png
        h stamps:animals/birds/chicken_profile.png
        """,
        """
        t stamps:animals/birds/rooster.ogg
        s scratch:Sounds/Animal/Rooster.wav
        v gcompris:explore_farm_animals/resource/animals/chickens.ogg
        h stamps:animals/birds/hen.ogg
        """,
    ),
    "duck quacking": Rows(
        ("Duck", "Quack", "Goose", "Fowl"),
        """
        t stamps:animals/birds/duck.png
        t gcompris:explore_farm_animals/resource/animals/duck.webp
        t stamps:animals/birds/gander.png
        h stamps:animals/birds/drake.png
        v gcompris:erase/resource/gosling.webp
        """,
        """
        t stamps:animals/birds/duck.ogg
        v stamps:animals/birds/gander.ogg
        h scratch:Sounds/Animal/Goose.wav
        t gcompris:explore_farm_animals/resource/animals/duck.ogg
        """,
    ),
    "owl hooting": Rows(
        ("Owl", "Hoot", "Bird"),
        """
        t stamps:animals/birds/owl.png
        h gcompris:explore_farm_animals/resource/animals/owl.webp
        """,
        """
        t gcompris:explore_farm_animals/resource/animals/owl.ogg
        h scratch:Sounds/Animal/Owl.wav
        """,
    ),
    "pig grunting": Rows(
        ("Pig", "Oink", "Snort", "Grunt"),
        """
        t stamps:animals/mammals/pig.png
        t stamps:animals/mammals/pig_golden2.png
        h stamps:animals/mammals/pig_golden.png
        t gcompris:explore_farm_animals/resource/animals/pig.webp
        v stamps:animals/mammals/wildboar.png
        """,
        """
        t gcompris:explore_farm_animals/resource/animals/pig.ogg
        h stamps:animals/mammals/pig.ogg
        """,
    ),
    "turkey gobbling": Rows(("Turkey", "Gobble"), "t stamps:animals/birds/turkey.png", "t stamps:animals/birds/turkey.ogg"),
    "crow cawing": Rows(
        ("Crow", "Caw"),
        "t stamps:animals/birds/crow.png",
        """
        t stamps:animals/birds/crow.ogg
        h sonicpi:misc_crow.flac
        """,
    ),
    "bee buzzing": Rows(
        ("Bee, wasp, etc.", "Insect", "Fly, housefly", "Buzz"),
        """
        t stamps:animals/insects/bee.png
        t stamps:animals/insects/hoverfly.png
        h gcompris:erase/resource/bee.webp
        """,
        "t stamps:animals/insects/bee.ogg",
    ),
    "fire truck siren": Rows(
        ("Siren", "Emergency vehicle", "Fire engine, fire truck (siren)", "Alarm"),
        """
        t stamps:vehicles/emergency/firetruck.png
        t stamps:vehicles/emergency/cartoon/fire_engine.png
        t stamps:vehicles/iso_fireengine.svg
        """,
        "t stamps:vehicles/emergency/firetruck.ogg",
    ),
    "car passing by": Rows(
        ("Car", "Motor vehicle (road)", "Car passing by", "Vehicle", "Accelerating, revving, vroom"),
        """
        t stamps:vehicles/auto/sedan.png
        t stamps:vehicles/auto/sportscar2.png
        t stamps:vehicles/auto/sportscar3.svg
        h scratch:Costumes/Transportation/car-blue.gif
        t scratch:Costumes/Transportation/car-bug.gif
        h stamps:vehicles/auto/sportscar.svg
        t stamps:vehicles/auto/truck.png
        v stamps:vehicles/auto/beetle.png
        v scratch:Costumes/Transportation/convertible1.gif
        """,
        "t scratch:Sounds/Effects/CarPassing.wav",
    ),
    "driving motorcycle": Rows(
        ("Motorcycle", "Motor vehicle (road)", "Car", "Vehicle"),
        "t stamps:vehicles/cycle/motorbike.svg",
        "t scratch:Sounds/Effects/MotorcyclePassing.wav",
    ),
    "driving buses": Rows(
        ("Bus", "Motor vehicle (road)", "Vehicle", "Truck"),
        """
        t stamps:vehicles/masstransit/green_korean_bus.png
        t stamps:vehicles/masstransit/cartoon/schoolbus.svg
        h scratch:Costumes/Transportation/bus.gif
        v stamps:vehicles/masstransit/cartoon/double_decker_bus.png
        t stamps:vehicles/iso_bus.svg
        """,
        """
        t simutrans:bus.wav
        h simutrans:truck.wav
        """,
    ),
    "airplane flyby": Rows(
        ("Aircraft", "Jet engine", "Fixed-wing aircraft, airplane", "Propeller, airscrew", "White noise", "Engine",
         "Light engine (high frequency)"),
        """
        t stamps:vehicles/flight/planes/747.png
        t stamps:vehicles/flight/planes/plane.svg
        h scratch:Costumes/Transportation/airplane.gif
        t stamps:military/vehicles/f22_raptor.png
        v stamps:military/vehicles/mustang.svg
        """,
        """
        t simutrans:comet-jet.wav
        h simutrans:planelow.wav
        """,
    ),
    "train horning": Rows(
        ("Train whistle", "Train horn", "Steam whistle", "Train", "Rail transport", "Whistle"),
        """
        t stamps:vehicles/locomotive/white_train.svg
        t gcompris:railroad/resource/loco2.svg
        v gcompris:railroad/resource/loco7.svg
        h gcompris:railroad/resource/loco5.svg
        """,
        """
        t gcompris:railroad/resource/sounds/train.wav
        h simutrans:steam.wav
        """,
    ),
    "church bell ringing": Rows(
        ("Bell", "Church bell"),
        """
        t gcompris:babymatch/resource/images/bell.svg
        t scratch:Costumes/Things/marble-building.gif
        """,
        """
        t scratch:Sounds/Effects/BellToll.wav
        t soundfont:14/1
        v soundfont:14/2
        h soundfont:14/3
        """,
    ),
    "vacuum cleaner cleaning floors": Rows(
        ("Vacuum cleaner",), "t stamps:household/vacuum_cleaner.svg", "t stamps:household/vacuum_cleaner.ogg"
    ),
    "hammering nails": Rows(
        ("Hammer", "Tools", "Wood", "Knock", "Thump, thud", "Clang", "Percussion"),
        """
        t stamps:household/tools/hammer.png
        t stamps:household/tools/hammer2.svg
        h stamps:household/tools/mallet_metal.png
        """,
        """
        t simutrans:gavel.wav
        h gcompris:memory-sound/resource/LRHits_01_LA.ogg
        """,
    ),
    "thunder": Rows(
        ("Thunder", "Thunderstorm", "Explosion"),
        "t stamps:naturalforces/lightningbolt.png",
        "t stamps:naturalforces/lightningbolt.ogg",
    ),
    "sea waves": Rows(
        ("Waves, surf", "Ocean", "Water"),
        """
        t scratch:Backgrounds/Nature/wave.jpg
        v scratch:Backgrounds/Nature/beach-malibu.jpg
        """,
        """
        t simutrans:Water.wav
        h gcompris:canal_lock/resource/water_fill.wav
        """,
    ),
    "water burbling": Rows(
        ("Gurgling", "Water", "Stream", "Trickle, dribble", "Liquid"),
        "t scratch:Backgrounds/Nature/water-and-rocks.jpg",
        """
        t scratch:Sounds/Effects/Bubbles.wav
        v sonicpi:ambi_sauna.flac
        h scratch:Sounds/Effects/Ripples.wav
        """,
    ),
    "fireworks banging": Rows(
        ("Fireworks", "Explosion", "Burst, pop", "Firecracker", "Gunshot, gunfire", "Percussion"),
        """
        t stamps:seasonal/newyears/fireworks.png
        h stamps:seasonal/newyears/fireworks2.png
        """,
        """
        t stamps:seasonal/newyears/fireworks.ogg
        v simutrans:explosion.wav
        """,
    ),
    "toilet flushing": Rows(("Toilet flush",), "t stamps:household/toilet.png", "t stamps:household/toilet.ogg"),
    "sawing": Rows(("Sawing", "Rub", "Wood"), "t stamps:household/tools/saw.png", "t stamps:household/tools/saw.ogg"),
    "playing violin": Rows(
        ("Violin, fiddle", "Bowed string instrument"),
        """
        h stamps:hobbies/music/string/violin2.svg
        t stamps:hobbies/music/string/violin.png
        s gcompris:instruments/resource/violin.svg
        """,
        """
        s soundfont:40/7
        t gcompris:instruments/resource/violin.ogg
        h stamps:hobbies/music/string/violin.ogg
        t soundfont:40/1
        v soundfont:40/2
        h soundfont:40/3
        """,
    ),
    "playing cello": Rows(
        ("Cello", "Bowed string instrument", "Double bass"),
        """
        t stamps:hobbies/music/string/cello.png
        h gcompris:instruments/resource/cello.svg
        """,
        """
        t gcompris:instruments/resource/cello.ogg
        h stamps:hobbies/music/string/cello.ogg
        t soundfont:42/1
        v soundfont:42/2
        """,
    ),
    "playing trumpet": Rows(
        ("Trumpet", "Brass instrument"),
        """
        t stamps:hobbies/music/brass/trumpet.png
        s gcompris:instruments/resource/trumpet.svg
        """,
        """
        s gcompris:instruments/resource/trumpet.ogg
        t stamps:military/final-roll-call.ogg
        t scratch:Sounds/Instruments/Trumpet1.wav
        h scratch:Sounds/Instruments/Trumpet2.wav
        t soundfont:56/1
        v soundfont:56/2
        h soundfont:56/3
        """,
    ),
    "playing trombone": Rows(
        ("Trombone", "Brass instrument"),
        "t gcompris:instruments/resource/trombone.svg",
        """
        t gcompris:instruments/resource/trombone.ogg
        t soundfont:57/1
        h soundfont:57/2
        """,
    ),
    "playing french horn": Rows(
        ("French horn", "Brass instrument", "Wind instrument, woodwind instrument"),
        "t gcompris:instruments/resource/horn.svg",
        """
        t gcompris:instruments/resource/horn.ogg
        t soundfont:60/1
        h soundfont:60/2
        """,
    ),
    "playing saxophone": Rows(
        ("Saxophone", "Wind instrument, woodwind instrument"),
        "t gcompris:instruments/resource/saxophone.svg",
        """
        t gcompris:instruments/resource/saxophone.ogg
        t soundfont:65/1
        h soundfont:66/2
        """,
    ),
    "playing clarinet": Rows(
        ("Clarinet", "Wind instrument, woodwind instrument"),
        "t gcompris:instruments/resource/clarinet.svg",
        """
        t gcompris:instruments/resource/clarinet.ogg
        t soundfont:71/1
        h soundfont:71/2
        """,
    ),
    "playing flute": Rows(
        ("Flute", "Wind instrument, woodwind instrument"),
        "t gcompris:instruments/resource/flute_traversiere.svg",
        """
        t gcompris:instruments/resource/flute_traversiere.ogg
        t soundfont:73/1
        v soundfont:73/2
        h soundfont:73/3
        """,
    ),
    "playing harmonica": Rows(
        ("Harmonica", "Accordion"),
        "t gcompris:instruments/resource/harmonica.svg",
        """
        t gcompris:instruments/resource/harmonica.ogg
        h soundfont:22/1
        """,
    ),
    "playing accordion": Rows(
        ("Accordion",),
        "t gcompris:instruments/resource/accordion.svg",
        """
        t gcompris:instruments/resource/accordion.ogg
        t soundfont:21/1
        h soundfont:21/2
        """,
    ),
    "playing banjo": Rows(
        ("Banjo", "Plucked string instrument"),
        "t gcompris:instruments/resource/banjo.svg",
        """
        t gcompris:instruments/resource/banjo.ogg
        t soundfont:105/1
        h soundfont:105/2
        """,
    ),
    "playing harp": Rows(
        ("Harp", "Plucked string instrument"),
        "t gcompris:instruments/resource/harp.svg",
        """
        t gcompris:instruments/resource/harp.ogg
        t soundfont:46/1
        h soundfont:46/2
        """,
    ),
    "playing acoustic guitar": Rows(
        ("Guitar", "Acoustic guitar", "Plucked string instrument", "Strum"),
        """
        t stamps:hobbies/music/string/guitar_classical.png
        s gcompris:instruments/resource/guitar.svg
        """,
        """
        t gcompris:instruments/resource/guitar.ogg
        v scratch:Sounds/Music Loops/GuitarChords1.mp3
        h scratch:Sounds/Music Loops/GuitarChords2.mp3
        t soundfont:24/1
        t soundfont:25/2
        h soundfont:24/3
        """,
    ),
    "playing electric guitar": Rows(
        ("Guitar", "Electric guitar", "Plucked string instrument"),
        """
        t stamps:hobbies/music/string/guitar2.png
        v stamps:hobbies/music/string/guitar_electric.png
        h gcompris:instruments/resource/electric_guitar.svg
        """,
        """
        t gcompris:instruments/resource/electric_guitar.ogg
        t soundfont:29/1
        h soundfont:29/2
        v sonicpi:guit_e_fifths.flac
        """,
        0.05,
    ),
    "playing base guitar": Rows(
        ("Bass guitar", "Guitar", "Plucked string instrument"),
        """
        t stamps:hobbies/music/string/guitar_electric_bass.png
        h stamps:hobbies/music/string/guitar_electric_bass2.svg
        """,
        """
        t soundfont:33/1
        t soundfont:33/2
        h soundfont:34/3
        """,
        0.05,
    ),
    "playing piano": Rows(
        ("Piano", "Keyboard (musical)", "Electric piano"),
        "t gcompris:instruments/resource/piano.svg",
        """
        t gcompris:instruments/resource/piano.ogg
        v gcompris:memory-sound/resource/LRLaPause_short.ogg
        t soundfont:0/1
        h soundfont:0/2
        """,
        0.05,
    ),
    "playing electronic organ": Rows(
        ("Organ", "Electronic organ", "Hammond organ", "Keyboard (musical)"),
        "t gcompris:instruments/resource/organ.svg",
        """
        t gcompris:instruments/resource/organ.ogg
        t soundfont:16/1
        h soundfont:16/2
        """,
        0.05,
    ),
    "playing drum kit": Rows(
        ("Drum kit", "Drum", "Percussion", "Cymbal", "Drum machine"),
        """
        t stamps:hobbies/music/percussion/drumkit.png
        h gcompris:instruments/resource/drum_kit.svg
        v gcompris:explore_world_music/resource/music/america.webp
        """,
        """
        t stamps:hobbies/music/percussion/drumkit.ogg
        t gcompris:instruments/resource/drum_kit.ogg
        t sonicpi:loop_amen_full.flac
        h sonicpi:loop_mika.flac
        v sonicpi:loop_breakbeat.flac
        h scratch:Sounds/Music Loops/DrumSet1.mp3
        v scratch:Sounds/Music Loops/DrumSet2.mp3
        """,
    ),
    "playing snare drum": Rows(
        ("Snare drum", "Drum roll", "Drum", "Percussion"),
        """
        t gcompris:instruments/resource/snare_drum.svg
        t stamps:hobbies/music/percussion/drum_tomtom_floor.png
        """,
        """
        t gcompris:instruments/resource/snare_drum.ogg
        h sonicpi:drum_roll.flac
        """,
    ),
    "playing timpani": Rows(
        ("Timpani", "Drum"),
        "t gcompris:instruments/resource/timpani.svg",
        """
        t gcompris:instruments/resource/timpani.ogg
        h soundfont:47/1
        """,
    ),
    "shaking maracas": Rows(
        ("Maraca", "Rattle (instrument)"),
        "t gcompris:instruments/resource/maracas.svg",
        "t gcompris:instruments/resource/maracas.ogg",
    ),
    "playing bongo": Rows(
        ("Percussion", "Drum", "Wood block", "Tabla"),
        """
        t gcompris:instruments/resource/bongo.svg
        h gcompris:explore_world_music/resource/music/africa.webp
        """,
        """
        t gcompris:instruments/resource/bongo.ogg
        h gcompris:explore_world_music/resource/music/africa.ogg
        """,
    ),
    "cymbal crashing": Rows(
        ("Cymbal", "Hi-hat", "Percussion"),
        """
        t stamps:hobbies/music/percussion/cymbal_crash.png
        h gcompris:instruments/resource/cymbal.svg
        """,
        """
        t gcompris:instruments/resource/cymbal.ogg
        h stamps:hobbies/music/percussion/cymbal_crash.ogg
        """,
    ),
    "orchestra": Rows(
        ("Orchestra", "Classical music", "Musical instrument", "Bowed string instrument", "Music"),
        "t gcompris:explore_world_music/resource/music/orchestra.webp",
        "t gcompris:explore_world_music/resource/music/beethoven.ogg",
    ),
    # Heard only: off-screen sounds
    "baby crying": Rows(("Crying, sobbing", "Baby cry, infant cry"), "", "t scratch:Sounds/Human/BabyCry.mp3"),
    "people clapping": Rows(
        ("Applause", "Clapping"), "", "t gcompris:memory-sound/resource/LRApplauses_1_LA_cut.ogg"
    ),
    "people laughing": Rows(
        ("Laughter", "Giggle", "Snicker", "Chuckle, chortle"), "t scratch:Costumes/People/mako-laughing.gif#upper",
        """
        t stamps:town/roadsigns/xing_school.ogg
        h scratch:Sounds/Human/Laugh-male2.wav
        """,
    ),
    "people coughing": Rows(("Cough", "Throat clearing"), "t scratch:Costumes/People/calvrett-thinking.gif#upper", "t scratch:Sounds/Human/Cough-male.wav"),
    "people burping": Rows(("Burping, eructation",), "", "t sonicpi:misc_burp.flac"),
    "man speaking": Rows(
        ("Speech",),
        """
        t scratch:Costumes/People/dan1.gif#upper
        t scratch:Costumes/People/dan5.gif#upper
        t scratch:Costumes/People/jay.gif#upper
        t scratch:Costumes/People/nathan.gif#upper
        v scratch:Costumes/People/sam.gif#upper
        """,
        """
        t stamps:symbols/chess/b_4_knight_desc_bg.ogg
        t stamps:symbols/chess/b_2_queen_desc_fr.ogg
        t stamps:symbols/chess/b_5_rook_desc_ca.ogg
        t stamps:space/apollo_lander.ogg
        v stamps:symbols/chess/b_4_knight_desc_ru.ogg
        h scratch:Sounds/Vocals/Got-inspiration.mp3
        """,
    ),
    "woman speaking": Rows(
        ("Speech",),
        """
        t scratch:Costumes/People/cassy-chillin.gif#upper
        t scratch:Costumes/People/cassy-dancing-1.gif#upper
        t scratch:Costumes/People/anjuli-1.gif#upper
        v scratch:Costumes/People/marissa.gif#upper
        """,
        """
        t stamps:symbols/chess/b_4_knight_desc_es.ogg
        t stamps:symbols/chess/b_2_queen_desc_ro.ogg
        t stamps:symbols/chess/b_2_queen_desc_be.ogg
        t scratch:Sounds/Vocals/Come-and-play.mp3
        v stamps:symbols/chess/b_4_knight_desc_el.ogg
        """,
    ),
    "beat boxing": Rows(
        ("Beatboxing",),
        """
        t scratch:Costumes/People/mako-stop.gif#upper
        v scratch:Costumes/People/ed.gif#upper
        """,
        """
        t scratch:Sounds/Music Loops/HumanBeatbox1.mp3
        v scratch:Sounds/Music Loops/HumanBeatbox2.mp3
        """,
    ),
    "people crowd": Rows(("Speech",), "", "t scratch:Sounds/Human/PartyNoise.wav"),
    "speech from off screen": Rows(
        ("Speech",), "",
        """
        t stamps:symbols/chess/w_5_rook_desc_fr.ogg
        t stamps:symbols/chess/w_1_king_desc_es.ogg
        t stamps:symbols/chess/w_3_bishop_desc_ca.ogg
        t stamps:symbols/chess/w_3_bishop_desc_ro.ogg
        v stamps:symbols/chess/w_5_rook_desc_ru.ogg
        v stamps:symbols/chess/w_5_rook_desc_el.ogg
        """,
    ),
    "music": Rows(
        ("Music",), "",
        """
        t scratch:Sounds/Music Loops/Cave.mp3
        t scratch:Sounds/Music Loops/Garden.mp3
        t scratch:Sounds/Music Loops/HipHop.mp3
        t scratch:Sounds/Music Loops/Medieval1.mp3
        t scratch:Sounds/Music Loops/Techno.mp3
        v scratch:Sounds/Music Loops/Medieval2.mp3
        v scratch:Sounds/Music Loops/Techno2.mp3
        v scratch:Sounds/Music Loops/Jungle.mp3
        """,
    ),
    "raining": Rows(("Rain", "Water"), "", "t gcompris:memory-sound/resource/LRRain_in_garden_01_LA_cut.ogg"),
    "train wheels squealing": Rows(
        ("Train", "Rail transport"), "", "t gcompris:memory-sound/resource/LRTrain_slowing_down_01_LA_cut.ogg"
    ),
    "chainsawing trees": Rows(("Chainsaw", "Engine"), "", "t simutrans:tree-cutting.wav"),
    "playing didgeridoo": Rows(("Didgeridoo",), "", "t gcompris:explore_world_music/resource/music/australia.ogg"),
    "playing xylophone": Rows(
        ("Marimba, xylophone", "Mallet percussion", "Glockenspiel"), "",
        """
        t scratch:Sounds/Music Loops/Xylo1.mp3
        h scratch:Sounds/Music Loops/Xylo2.mp3
        """,
    ),
    "playing synthesizer": Rows(
        ("Synthesizer", "Keyboard (musical)"), "",
        """
        t scratch:Sounds/Electronic/AlienCreak1.wav
        h scratch:Sounds/Electronic/ComputerBeeps2.wav
        """,
    ),
    "dishes clinking": Rows(("Glass", "Chink, clink"), "", "t stamps:household/dishes/bottle.ogg"),
    # Seen only: silent objects
    "zebra": Rows((), "t stamps:animals/mammals/equines/zebra.png\nh stamps:animals/mammals/equines/zebra2.svg"),
    "elephant": Rows((), "t stamps:animals/mammals/elephant.png\nh scratch:Costumes/Animals/elephant.gif"),
    "camel": Rows((), "t stamps:animals/mammals/camel/camel.png\nh gcompris:erase/resource/camels.webp"),
    "squirrel": Rows((), "t stamps:animals/mammals/rodents/squirrel.png\nh gcompris:erase/resource/squirrel.webp"),
    "rabbit": Rows((), "t stamps:animals/mammals/rodents/rabbit.png\nh stamps:animals/mammals/rodents/rabbit-2.png"),
    "bear": Rows((), "t stamps:animals/mammals/bears/european-bear.png\nh gcompris:explore_world_animals/resource/animals/polar_bear.webp"),
    "panda": Rows((), "t gcompris:explore_world_animals/resource/animals/panda.webp"),
    "koala": Rows((), "t gcompris:explore_world_animals/resource/animals/koala.webp\nh stamps:animals/marsupials/koala.png"),
    "giraffe": Rows((), "t stamps:animals/mammals/giraffe.png\nh gcompris:erase/resource/giraffe.webp"),
    "gorilla": Rows((), "t stamps:animals/mammals/apes/gorilla.png\nh gcompris:erase/resource/gorilla.webp"),
    "deer": Rows((), "t stamps:animals/mammals/deer/doe.png\nh stamps:animals/mammals/deer/wapiti.png"),
    "fish": Rows((), "t stamps:animals/fish/butterflyfish.png\nt stamps:animals/fish/clownfish.png"),
    "sail boat": Rows((), "t stamps:vehicles/ship/sail_boat1.svg\nh scratch:Costumes/Transportation/sail-boat.gif"),
    "garbage truck": Rows((), "t stamps:vehicles/garbagetruck.png"),
    "tank": Rows((), "t stamps:military/vehicles/bradley.png"),
    "bicycle": Rows((), "t stamps:vehicles/cycle/bluebike.svg\nh scratch:Costumes/Transportation/bike.gif"),
    "race car": Rows((), "t stamps:vehicles/race/indycar.png\nh stamps:vehicles/race/f1_car.svg"),
    "tennis racket": Rows((), "t stamps:sports/tennis_racket.png"),
    "basketball": Rows((), "t stamps:sports/basketball.png"),
    "football": Rows((), "t stamps:sports/soccer.png\nh stamps:sports/football.png"),
    "camera": Rows((), "t stamps:household/electronics/DSLR_Camera.svg\nh stamps:hobbies/camera_35mm.png"),
    "laptop": Rows((), "t stamps:household/electronics/laptop.svg"),
    "telephone": Rows((), "t stamps:household/electronics/phone.svg\nh stamps:household/electronics/mobile.svg"),
    "bassoon": Rows((), "t stamps:hobbies/music/wind/bassoon.png"),
    "balloon": Rows((), "t stamps:vehicles/flight/balloon360.png"),
    "umbrella": Rows((), "t stamps:household/umbrella.svg"),
    "person": Rows((), "t stamps:people/fireman240a.png\nh stamps:people/fireman200b.png\nt stamps:people/cartoon/man_in_suit.svg\nt scratch:Costumes/People/football-run.gif\nt scratch:Costumes/People/chamak1.gif\nt scratch:Costumes/People/breakdancer2.gif\nv scratch:Costumes/People/referee1.gif\nv scratch:Costumes/People/thai-dancer.gif"),
    "flower": Rows((), "t scratch:Costumes/Things/flower-vase.gif"),
    "saxophone player and band": Rows((), "t gcompris:explore_world_music/resource/music/ireland.webp"),
}  # fmt: skip

EXTRA_CLASSES = (
    "rooster crowing", "duck quacking", "owl hooting", "pig grunting", "turkey gobbling", "crow cawing", "bee buzzing",
    "toilet flushing", "sawing", "playing french horn", "playing electric guitar", "playing timpani",
    "shaking maracas", "playing bongo", "cymbal crashing", "playing didgeridoo", "playing xylophone", "dishes clinking",
)  # fmt: skip

# Classes that eye or ear easily take for one another: no silent object of one meets an off-screen sound of another.
ALIKE = (
    ("playing trumpet", "playing trombone", "playing french horn", "playing saxophone", "orchestra",
     "saxophone player and band"),
    ("playing clarinet", "playing flute", "playing harmonica", "playing accordion", "bassoon", "playing saxophone"),
    ("playing violin", "playing cello", "orchestra", "playing harp"),
    ("playing acoustic guitar", "playing electric guitar", "playing base guitar", "playing banjo", "playing harp"),
    ("playing drum kit", "playing snare drum", "playing timpani", "playing bongo", "cymbal crashing",
     "shaking maracas"),
    ("playing piano", "playing electronic organ", "playing synthesizer", "playing accordion"),
    ("car passing by", "driving motorcycle", "driving buses", "fire truck siren", "race car", "garbage truck", "tank"),
    ("bird chirping", "crow cawing", "owl hooting", "rooster crowing", "duck quacking", "turkey gobbling"),
    ("bull bellowing", "sheep bleating", "pig grunting"),
    ("train horning", "train wheels squealing"),
    ("sea waves", "water burbling", "raining"),
    ("man speaking", "woman speaking", "people laughing", "people coughing", "beat boxing", "baby crying",
     "people clapping", "people crowd", "people burping", "speech from off screen", "person"),
    ("playing drum kit", "beat boxing"),
    *(("music", name) for name in CLASSES if name.startswith(("playing ", "cymbal", "shaking", "orchestra", "beat"))),
    ("thunder", "fireworks banging"),
)  # fmt: skip

BACKGROUNDS = """
    t scratch:Backgrounds/Indoors/chalkboard.jpg
    v scratch:Backgrounds/Indoors/clothing-store.jpg
    h scratch:Backgrounds/Indoors/hall.jpg
    v scratch:Backgrounds/Indoors/kitchen.jpg
    t scratch:Backgrounds/Indoors/room1.jpg
    t scratch:Backgrounds/Indoors/room3.jpg
    h scratch:Backgrounds/Indoors/the-movies-inside.jpg
    t scratch:Backgrounds/Indoors/spotlight-stage.jpg
    t scratch:Backgrounds/Nature/canyon.jpg
    t scratch:Backgrounds/Nature/flower-bed.jpg
    t scratch:Backgrounds/Nature/forest.jpg
    h scratch:Backgrounds/Nature/garden-rock.jpg
    t scratch:Backgrounds/Nature/grand-canyon.jpg
    t scratch:Backgrounds/Nature/gravel-desert.jpg
    v scratch:Backgrounds/Nature/hill.jpg
    s scratch:Backgrounds/Nature/lake.jpg
    t scratch:Backgrounds/Nature/pathway.jpg
    t scratch:Backgrounds/Nature/tree.jpg
    v scratch:Backgrounds/Nature/woods-and-bench.jpg
    t scratch:Backgrounds/Outdoors/atom-playground.jpg
    h scratch:Backgrounds/Outdoors/bench-with-view.jpg
    t scratch:Backgrounds/Outdoors/boardwalk.jpg
    t scratch:Backgrounds/Outdoors/brick-wall1.jpg
    t scratch:Backgrounds/Outdoors/brick-wall2.jpg
    t scratch:Backgrounds/Outdoors/building-at-mit.jpg
    h scratch:Backgrounds/Outdoors/castle.jpg
    t scratch:Backgrounds/Outdoors/city-with-water2.jpg
    s scratch:Backgrounds/Outdoors/driveway.jpg
    t scratch:Backgrounds/Outdoors/hallway_outdoors.jpg
    t scratch:Backgrounds/Outdoors/hay_field.jpg
    v scratch:Backgrounds/Outdoors/houses.jpg
    t scratch:Backgrounds/Outdoors/mansion.jpg
    t scratch:Backgrounds/Outdoors/parking-ramp.jpg
    h scratch:Backgrounds/Outdoors/pool.jpg
    v scratch:Backgrounds/Outdoors/route66.jpg
    t scratch:Backgrounds/Outdoors/silos.jpg
    t scratch:Backgrounds/Outdoors/the-movies.jpg
    t scratch:Backgrounds/Outdoors/village.jpg
    h scratch:Backgrounds/Outdoors/wooden-house.jpg
    t scratch:Backgrounds/Sports/basketball-court1-a.jpg
    t scratch:Backgrounds/Sports/football-field.jpg
    v scratch:Backgrounds/Sports/playing-field.jpg
    h scratch:Backgrounds/Sports/tennis-backboard.jpg
"""

AMBIENT = """
    t simutrans:arctic.wav
    v simutrans:desert.wav
    v sonicpi:vinyl_hiss.flac
    t sonicpi:loop_3d_printer.flac
    h sonicpi:ambi_drone.flac
    t gcompris:chronos/resource/sound/1.ogg
    h gcompris:watercycle/resource/harbor1.wav
"""
