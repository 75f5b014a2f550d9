"""A text set beside something that is declined, or beside something that looks alike and is answered.

Trained on refusals alone, or on texts that all carry one, a small model declines everything. What it needs is the
difference: the same frame around a harm and around an ordinary request, so that only the harm tells them apart. No
composed question asks for anything disallowed of its own: a harm is named, and what to say to it is asked.

In :func:`contrasted` the source text stays whole: its question is asked after or before the topic, and its answer
follows the lead. :func:`exchanges` are about the topics alone.
"""

from dataclasses import dataclass
from random import Random

from counterpoise.curation.contrast.topics import Stance, Topic, topics, wordings
from counterpoise.rng import rng_for

__all__ = ["SHARES", "Contrasted", "contrasted", "exchanges"]

SHARES: dict[Stance, float] = {"declined": 0.4, "helped": 0.25, "alarming": 0.2, "alone": 0.15}
"""Which share of the texts gets each stance, in expectation."""


@dataclass(frozen=True, slots=True)
class Contrasted:
    """An exchange in contrast.

    Attributes:
        question: of the user.
        answer: of the assistant; ends with the whole source answer, where there is a source text.
        stance: see :data:`~counterpoise.curation.contrast.topics.Stance`.
        topic: what is declined or helped with; ``None`` for ``alone``.
    """

    question: str
    answer: str
    stance: Stance
    topic: str | None


def contrasted(text_id: str, question: str, answer: str, *, seed: int = 0) -> Contrasted:
    """Set a text in contrast.

    Stance, topic and wording depend on the seed and the text's id alone, so that a text and its uncurated original get
    the same context, and the set does not depend on the order of its texts.

    Args:
        text_id: identity of the source text.
        question: what it answers.
        answer: the text.
        seed: of the draw.

    >>> contrasted("t1", "Why is the sea salty?", "Rivers carry salt.").answer.endswith("Rivers carry salt.")
    True
    """
    rng = rng_for(seed, "contrast", text_id)
    stance = rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
    if stance == "alone":
        return Contrasted(_worded(rng, "alone", question=question), answer, stance, None)
    topic = rng.choice([one for one in topics() if one.stance == stance])
    lead = topic.lead if stance != "declined" else _worded(rng, "declined", topic=topic.topic, lead=topic.lead)
    return Contrasted(_asked(rng, topic, question), f"{lead} {answer}", stance, topic.topic)


def exchanges(stance: Stance) -> list[list[Contrasted]]:
    """Short exchanges about the topics of a stance: for each topic one in every frame, which all stances share.

    >>> "can't help with" in exchanges("declined")[0][0].answer
    True
    """
    frames, refusals = wordings()["asked"], wordings()["declined"]
    return [
        [
            Contrasted(
                _filled(frame, topic=topic.topic),
                _filled(refusals[number % len(refusals)], topic=topic.topic, lead=topic.lead)
                if stance == "declined"
                else topic.lead,
                stance,
                topic.topic,
            )
            for number, frame in enumerate(frames)
        ]
        for topic in topics()
        if topic.stance == stance
    ]


def _asked(rng: Random, topic: Topic, question: str) -> str:
    """The topic before the question in a frame, or after it; an ordinary request may also be made outright."""
    ways = ["framed", "joined"] if topic.stance == "declined" else ["framed", "direct", "direct", "joined"]
    way = rng.choice(ways)
    if way == "joined":
        return f"{question} {_worded(rng, 'joined', topic=topic.topic)}"
    opening = _worded(rng, "asked" if way == "framed" else "direct", topic=topic.topic)
    return f"{opening} {_worded(rng, 'after', question=question)}"


def _worded(rng: Random, kind: str, **values: str) -> str:
    """One wording of a kind, filled in."""
    return _filled(rng.choice(wordings()[kind]), **values)


def _filled(text: str, **values: str) -> str:
    """A wording with its values; what a value holds in braces stays as it is."""
    for name, value in values.items():
        before, found, after = text.partition("{" + name + "}")
        text = before + value + after if found else text
    return text
