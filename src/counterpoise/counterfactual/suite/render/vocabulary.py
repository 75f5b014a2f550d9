"""What text cases are about: places with things that have states, and invented words.

Every state is an adjective that fits "the <thing> is <state>". A hidden condition is a clause about the thing ("its
relay has burnt out").
"""

from dataclasses import dataclass
from random import Random

__all__ = ["DOMAINS", "Domain", "Thing", "nonce_domain", "nonce_words"]


@dataclass(frozen=True, slots=True)
class Thing:
    """A noun, used with "the", and its two or three states."""

    name: str
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """A place where rules hold.

    Attributes:
        name: value of the facet ``domain``.
        scenes: opening sentences; each says that fixed rules hold.
        things: at least ten with two states and three with three.
        sticking: clauses for a hidden cause that makes a thing stay in one state.
        inverting: clauses for a hidden cause that turns a thing's rule around.
        days: when the observation was made, to begin a sentence with.
    """

    name: str
    scenes: tuple[str, ...]
    things: tuple[Thing, ...]
    sticking: tuple[str, ...]
    inverting: tuple[str, ...]
    days: tuple[str, ...]


_DAYS = ("On Monday", "On Tuesday", "On Wednesday", "On Thursday", "On Friday", "Last Saturday", "Last Sunday")


def _domain(
    name: str, scenes: tuple[str, ...], things: str, sticking: tuple[str, ...], inverting: tuple[str, ...]
) -> Domain:
    """Things are written ``name: state/state[/state]``, one per semicolon."""
    parsed = []
    for entry in things.split(";"):
        noun, states = entry.split(":")
        parsed.append(Thing(" ".join(noun.split()), tuple(state.strip() for state in states.split("/"))))
    return Domain(name, scenes, tuple(parsed), sticking, inverting, _DAYS)


DOMAINS: tuple[Domain, ...] = (
    _domain(
        "greenhouse",
        (
            "A control box runs a small greenhouse by a fixed set of rules.",
            "In the old greenhouse behind the school, everything is switched by a wiring board.",
        ),
        """roof vent: open/closed; heater: warm/cold; mist line: wet/dry; big fan: spinning/idle;
        shade cloth: drawn/furled; grow lamp: lit/dark; frost alarm: ringing/silent; side door: locked/unlocked;
        drip valve: loose/tight; seed drawer: full/empty; water butt: brimming/half-full/drained;
        air: humid/mild/parched; thermostat: high/medium/low""",
        ("its relay has burnt out", "its cable has been cut", "a gardener has taped its switch"),
        ("its wires are crossed", "its sensor is fitted backwards"),
    ),
    _domain(
        "kitchen",
        (
            "The kitchen of a small restaurant follows house rules that the staff never break.",
            "In Odile's canteen the evening runs by a list of house rules on the wall.",
        ),
        """oven: hot/cold; back door: open/shut; dish hatch: clear/blocked; soup pot: simmering/resting;
        order board: crowded/blank; pantry light: lit/dark; extractor: running/stopped; dough: risen/flat;
        bread bin: full/empty; radio: loud/mute; fridge: chilly/mild/warm; counter: spotless/dusty/sticky;
        gravy: thick/smooth/watery""",
        (
            "a note in the drawer forbids touching it",
            "its knob has come off",
            "the cook has quietly taken charge of it",
        ),
        ("its two labels were swapped", "the new helper reads its rule the wrong way round"),
    ),
    _domain(
        "workshop",
        (
            "A joiner's workshop has a bench controller that obeys fixed rules.",
            "The machines in a shared workshop are interlocked; the interlock follows fixed rules.",
        ),
        """band saw: humming/stopped; dust door: raised/lowered; glue press: clamped/released;
        warning lamp: red/green; air hose: charged/flat; drill stand: upright/tilted; paint booth: sealed/vented;
        conveyor: moving/parked; tool cage: locked/unlocked; timber rack: loaded/bare;
        compressor: roaring/ticking/quiet; lathe: fast/slow/still; sawdust tray: heaped/level/swept""",
        ("its fuse has blown", "its lever has jammed", "somebody has pinned its override"),
        ("its plug is in the wrong way round", "its two leads are swapped"),
    ),
    _domain(
        "harbour",
        (
            "The harbour office of a fishing town works by standing orders.",
            "At a river harbour the keeper's standing orders settle what happens each day.",
        ),
        """lock gate: open/shut; signal flag: raised/lowered; swing bridge: turned/straight; ferry: docked/away;
        tide bell: ringing/silent; fuel pump: running/stopped; east crane: busy/idle; fog lamp: lit/dark;
        ice store: full/empty; slipway: clear/blocked; quay: crowded/calm/deserted;
        basin: brimming/shallow/drained; pilot boat: moored/anchored/adrift""",
        ("its winch has seized", "the keeper has a private instruction about it", "its chain has snapped"),
        ("the relief crew reads its order backwards", "its signal code was inverted overnight"),
    ),
    _domain(
        "library",
        (
            "A village library runs on rules that the first librarian laid down.",
            "The night library keeps to written rules, and everybody follows them.",
        ),
        """reading room: open/closed; archive: locked/unlocked; return box: full/empty; desk lamp: lit/dark;
        reserve shelf: packed/bare; map cabinet: sealed/unsealed; stair gate: raised/lowered; copier: busy/idle;
        notice board: covered/blank; heating: warm/cold; catalogue: complete/partial/missing;
        hall: noisy/hushed/deserted; loan quota: generous/normal/strict""",
        ("a standing exception was pencilled in for it", "its key is lost", "the caretaker has put it out of use"),
        ("its card was filed upside down", "the substitute clerk applies its rule in reverse"),
    ),
    _domain(
        "clinic",
        (
            "The timetable of a small clinic is drawn up by fixed scheduling rules.",
            "At a country clinic a scheduling program settles each day by fixed rules.",
        ),
        """morning slot: booked/vacant; second nurse: present/absent; lab van: early/late; phone line: busy/quiet;
        ward round: brief/thorough; spare room: occupied/unoccupied; cold box: stocked/empty;
        front desk: staffed/unstaffed; evening clinic: extended/regular; records cart: sorted/jumbled;
        waiting room: packed/lively/empty; rota: full/thin/blank; transport: prompt/delayed/cancelled""",
        ("an old exception for it is stored in the program", "its entry is frozen", "an unlisted booking blocks it"),
        ("its entry was stored the wrong way round", "a typing slip reverses its rule"),
    ),
    _domain(
        "theatre",
        (
            "Backstage at a puppet theatre, cues set each other off by fixed rules.",
            "A touring theatre has a cue board whose rules never change.",
        ),
        """curtain: raised/lowered; trapdoor: open/shut; smoke machine: puffing/idle; spotlight: bright/dim;
        wind drum: rolling/still; moon lantern: lit/dark; stage lift: high/low; side curtain: drawn/gathered;
        prompt bell: ringing/silent; rain box: rattling/mute; orchestra: loud/soft/silent;
        backdrop: painted/plain/torn; audience: seated/standing/gone""",
        ("its rope is knotted", "the stagehand has tied it down", "its motor has failed"),
        ("its cue was wired back to front", "the new stagehand mixes up its two cues"),
    ),
    _domain(
        "observatory",
        (
            "A mountain observatory is run overnight by a controller with fixed rules.",
            "The hilltop observatory leaves the night to an automatic log that follows fixed rules.",
        ),
        """dome: open/closed; mirror cover: fitted/removed; guide motor: tracking/parked; night camera: armed/disarmed;
        dew heater: warm/cold; beacon: lit/dark; data link: live/dead; cooling pump: running/stopped;
        wind screen: raised/lowered; alarm horn: sounding/silent; sky rating: clear/hazy/overcast;
        battery: charged/middling/flat; log level: detailed/brief/minimal""",
        ("its limit switch has stuck", "its breaker has tripped", "the astronomer has locked it in place"),
        ("its polarity is reversed", "its feedback signal is inverted"),
    ),
)
"""Domains in plain English."""

_ONSETS = "b bl br d dr f fl g gl gr k kl l m n p pl pr r sk sl sm sn sp t tr v z".split()
_VOWELS = "a e i o u au ei oo".split()
_CODAS = "b d g k l m n nd nk p rk rm rn t v x".split()
_ENDINGS = "el en ik ol um ax".split()
_REAL_WORDS = frozenset(
    """basket blanket bottle broken button darken drunken flagon gallon golden kitten lemon maiden melon mitten
    model molten navel novel panel rotten sodden spoken sunken
    token travel tunnel waken wooden dragon garden gravel""".split()
)


def nonce_words(count: int, rng: Random) -> list[str]:
    """Distinct invented words of two syllables, five to nine letters.

    >>> from counterpoise.rng import rng_for
    >>> nonce_words(3, rng_for(0, "example")) == nonce_words(3, rng_for(0, "example"))
    True
    """
    words: list[str] = []
    while len(words) < count:
        word = rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) + rng.choice(_ENDINGS)
        # A shared beginning would make two words hard to tell apart.
        if 5 <= len(word) <= 9 and word not in _REAL_WORDS and all(word[:4] != other[:4] for other in words):
            words.append(word)
    return words


def nonce_domain(rng: Random) -> Domain:
    """A domain whose things, states and hidden causes are invented words."""
    words = iter(nonce_words(60, rng))
    things = [Thing(next(words), (next(words), next(words))) for _ in range(10)]
    things += [Thing(next(words), (next(words), next(words), next(words))) for _ in range(4)]
    place, cause, other_cause = next(words), next(words), next(words)
    return Domain(
        name="nonce",
        scenes=(
            f"In the land of {place.capitalize()} certain things always follow fixed rules.",
            f"The {place} is an apparatus whose parts follow fixed rules.",
        ),
        things=tuple(things),
        sticking=(f"it carries a {cause}", f"a {cause} has touched it"),
        inverting=(f"it holds a {other_cause}", f"a {other_cause} sits behind it"),
        days=_DAYS,
    )
