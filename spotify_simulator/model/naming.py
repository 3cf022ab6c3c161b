"""Names for what a library holds: made up, in several scripts, and the odd ones."""

from __future__ import annotations

from random import Random

_OPENINGS = (
    "Amber", "Blue", "Broken", "Cold", "Distant", "Electric", "Endless", "Fading", "Golden", "Hidden", "Hollow",
    "Last", "Little", "Lost", "Midnight", "Northern", "Paper", "Quiet", "Red", "Rising", "Silent", "Silver", "Slow",
    "Sudden", "Velvet", "Wild", "Winter", "Été", "Größer", "Niña", "Øde", "Żółty", "夜の", "Белый",
)  # fmt: skip
_THINGS = (
    "Animals", "Avenue", "Bells", "Birds", "Bridges", "City", "Cloud", "Coast", "Dance", "Dream", "Echo", "Engine",
    "Fire", "Forest", "Garden", "Ghost", "Harbour", "Heart", "Hours", "House", "Island", "Letters", "Light", "Machine",
    "Mirror", "Moon", "Mountain", "Ocean", "Parade", "Planet", "Radio", "Rain", "River", "Road", "Satellite", "Season",
    "Shadow", "Signal", "Sky", "Snow", "Song", "Station", "Stone", "Street", "Summer", "Theatre", "Train", "Valley",
    "Voices", "Water", "Wind", "Window", "Corazón", "Straße", "Été", "Nächte", "Himinn", "Мечта", "海", "花火",
)  # fmt: skip
_GROUPS = ("{} {}", "The {} {}", "{} {} Orchestra", "{} {} Trio", "{} & the {}", "DJ {} {}")
_MOODS = (
    "Morning",
    "Focus",
    "Running",
    "Dinner",
    "Road trip",
    "Late night",
    "Rainy day",
    "Party",
    "Sunday",
    "Discovery",
)
_ENDINGS = ("", "", "", "", "", " - Live", " - Remastered 2011", " (Acoustic)", " (Radio Edit)", ", Pt. 2")

ODD_NAMES = (
    "",
    "Nuit d’été ☾",
    "שלום עולם",
    "مرحبا بالعالم (vol. 2)",
    "🎧🔥 👩‍👩‍👧 🏳️‍🌈",
    "first line\nsecond line\r\nthird\ttabbed",
    "quotes \" and ' and , commas ; and | pipes \\ backslash",
    "<b>R&amp;B</b>",
    " blanks around ",
    "NULL",
    "0",
    "\\N",
    "line\u2028separator\u200bzero width",
    "combi\u0301ned and composé",
    "very long " * 300,
)
"""Names that break careless clients."""

ODD_DESCRIPTIONS = ("Rock &amp; Roll &lt;3 it&#x27;s &quot;all&quot; here", "", None, "late\nnight", "שלום")


def title(rng: Random) -> str:
    """Return the name of a track, an album or an episode."""
    return f"{rng.choice(_OPENINGS)} {rng.choice(_THINGS)}{rng.choice(_ENDINGS)}"


def artist_name(rng: Random) -> str:
    """Return the name of an artist or a band."""
    return rng.choice(_GROUPS).format(rng.choice(_OPENINGS), rng.choice(_THINGS))


def playlist_name(rng: Random) -> str:
    """Return the name of a playlist."""
    return f"{rng.choice(_MOODS)} {rng.choice(_THINGS).lower()} {rng.randrange(1, 100)}"
