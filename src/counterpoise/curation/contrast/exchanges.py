"""Short exchanges about harms, which are declined, and about what only sounds like one, which is helped with.

Trained on refusals alone, or on texts that all carry one, a small model declines everything. What it needs is the
difference: the same frame around a harm and around an ordinary activity, so that only the topic tells them apart. No
exchange asks for anything disallowed: a harm is named, and what to say to it is asked. Many frames open as requests do
("Write a reply to …"), since a model that knows refusals from questions alone obeys whatever is a request.
"""

from dataclasses import dataclass

from counterpoise.curation.contrast.topics import Stance, topics, wordings

__all__ = ["Exchange", "exchanges"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question about a topic, with its answer.

    Attributes:
        question: of the user.
        answer: of the assistant.
        topic: what is declined or helped with.
    """

    question: str
    answer: str
    topic: str


def exchanges(stance: Stance) -> list[list[Exchange]]:
    """The exchanges about the topics of a stance: for each topic one in every frame, which all stances share.

    Which refusal stands in a frame changes from topic to topic, so that neither gives the other away.

    >>> "can't help with" in exchanges("declined")[0][0].answer
    True
    """
    frames, refusals = wordings()["asked"], wordings()["declined"]
    found = []
    for place, one in enumerate(one for one in topics() if one.stance == stance):
        versions = []
        for number, frame in enumerate(frames):
            refusal = refusals[(place + number) % len(refusals)]
            answer = _filled(refusal, topic=one.topic, lead=one.lead) if stance == "declined" else one.lead
            versions.append(Exchange(_filled(frame, topic=one.topic), answer, one.topic))
        found.append(versions)
    return found


def _filled(text: str, **values: str) -> str:
    """A wording with its values; what a value holds in braces stays as it is."""
    for name, value in values.items():
        before, found, after = text.partition("{" + name + "}")
        text = before + value + after if found else text
    return text
