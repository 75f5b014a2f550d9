"""What code cases are about: names of functions, arguments and variables, plain and invented."""

from dataclasses import dataclass
from random import Random

from counterpoise.counterfactual.suite.render.vocabulary import nonce_words

__all__ = ["SUBJECTS", "Subject", "Worded", "nonce_subject"]


@dataclass(frozen=True, slots=True)
class Worded:
    """A variable whose value is one of two or three words."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a function computes.

    Attributes:
        name: value of the facet ``domain``.
        functions: names for the function.
        helpers: names for functions that it calls, at least nine.
        numbers: names for variables that are whole numbers, at least nine.
        worded: variables that are words, at least four of two words and four of three.
        amounts: names for unseen arguments that are numbers, at least four.
        switches: names for unseen arguments that are true or false, at least four.
    """

    name: str
    functions: tuple[str, ...]
    helpers: tuple[str, ...]
    numbers: tuple[str, ...]
    worded: tuple[Worded, ...]
    amounts: tuple[str, ...]
    switches: tuple[str, ...]


_HELPERS = tuple("adjust trim settle even_out rework level_off convert fold balance shape_up".split())


def _subject(name: str, functions: str, numbers: str, worded: str, amounts: str, switches: str) -> Subject:
    """Variables of words are written ``name: word/word[/word]``, one per semicolon."""
    parsed = []
    for entry in worded.split(";"):
        variable, words = entry.split(":")
        parsed.append(Worded(variable.strip(), tuple(word.strip() for word in words.split("/"))))
    return Subject(
        name,
        tuple(functions.split()),
        _HELPERS,
        tuple(numbers.split()),
        tuple(parsed),
        tuple(amounts.split()),
        tuple(switches.split()),
    )


SUBJECTS: tuple[Subject, ...] = (
    _subject(
        "warehouse",
        "plan_shift dispatch run_depot",
        "orders crates pallets load backlog trips drivers scans delay stock",
        """dock: open/closed; carrier: road/rail; alarm: raised/clear; lane: left/right; gate: up/down;
        priority: low/normal/high; zone: north/middle/south; size: small/medium/large; shift: early/late/night""",
        "spillage drift returns leftovers slack",
        "jammed overtime storm_warning audit_day strike",
    ),
    _subject(
        "irrigation",
        "water_field open_valves irrigate",
        "rain pressure flow runoff tanks rows minutes demand level drain",
        """pump: on/off; valve: open/shut; soil: wet/dry; sluice: raised/lowered; warning: lit/dark;
        season: spring/summer/autumn; crop: beans/maize/barley; tide: low/mid/high; wind: calm/fresh/strong""",
        "seepage leakage evaporation dew losses",
        "clogged frozen manual_mode night_frost worn_seal",
    ),
    _subject(
        "game",
        "play_round score_turn resolve",
        "cards coins moves points shield hits bonus lives steps keys",
        """door: locked/unlocked; side: red/blue; trap: armed/safe; torch: burning/out; bridge: up/down;
        rank: page/knight/queen; biome: desert/forest/ice; spell: fire/water/stone; mood: calm/angry/sly""",
        "luck handicap fatigue interest curse_level",
        "cursed stunned hidden_ally rematch fogged",
    ),
    _subject(
        "printer",
        "print_queue run_press handle_job",
        "pages copies sheets ink jobs retries heat speed trays wait",
        """mode: draft/fine; cover: open/closed; light: green/amber; cable: plugged/loose; feed: front/rear;
        paper: thin/plain/card; tone: pale/normal/dark; state: idle/busy/halted; colour: cyan/magenta/yellow""",
        "dust jitter warmup backlash misfeeds",
        "paper_jam power_save worn_roller rush_job cold_start",
    ),
    _subject(
        "railway",
        "schedule_train set_signals route",
        "wagons seats stops minutes gap speed freight crew passengers detour",
        """signal: clear/stop; track: main/siding; barrier: up/down; switch: straight/diverging; bell: ringing/silent;
        service: local/express/night; load_class: light/medium/heavy; weather: dry/wet/icy; platform: one/two/three""",
        "headwind slippage holdup extra_load drag",
        "leaves_on_line engineering_work signal_fault relief_crew flooded",
    ),
)
"""Subjects in plain English."""


def nonce_subject(rng: Random) -> Subject:
    """A subject whose names and words are invented."""
    words = iter(nonce_words(60, rng))

    def take(count: int) -> tuple[str, ...]:
        return tuple(next(words) for _ in range(count))

    return Subject(
        name="nonce",
        functions=take(2),
        helpers=take(10),
        numbers=take(10),
        worded=tuple(Worded(next(words), take(size)) for size in (2, 2, 2, 2, 3, 3, 3, 3))[:8],
        amounts=take(5),
        switches=take(5),
    )
