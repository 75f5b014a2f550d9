"""What the tools of a run find in its cases, before a model is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterpoise.counterfactual.case import Case
from counterpoise.counterfactual.match import Matcher
from counterpoise.counterfactual.tools.finding import Finding
from counterpoise.counterfactual.tools.hints import hints
from counterpoise.counterfactual.tools.recall import recall
from counterpoise.counterfactual.tools.tool import Tool

__all__ = ["Hint", "findings", "hint", "recalls", "shown_pictures"]

Tools = Mapping[str, Tool]
"""Modality to the tool for it."""

_FOCUSED = "The last {} above: the same again, with everything greyed out but what the list names."


@dataclass(frozen=True, slots=True)
class Hint:
    """What a model is told and shown of a tool's findings; both empty where it found nothing."""

    text: str = ""
    pictures: tuple[bytes, ...] = ()


def findings(case: Case, tools: Tools, data: Path | None) -> list[Finding]:
    """What the tool for a case's modality finds in it.

    Raises:
        DataError: a picture of the case cannot be read.
    """
    return tools[case.modality].find(case, shown_pictures(case, data))


def hint(case: Case, tools: Tools, data: Path | None) -> Hint:
    """The hint for a case. Of pictures, those with the background masked come with it.

    Raises:
        DataError: a picture of the case cannot be read.
    """
    pictures = shown_pictures(case, data)
    text = hints(tools[case.modality].find(case, pictures))
    if not (text and pictures):
        return Hint(text)
    from counterpoise.counterfactual.tools.image import GroundingTool

    tool = tools[case.modality]
    focused = tool.focused(case, pictures) if isinstance(tool, GroundingTool) else []
    what = "picture" if len(focused) == 1 else f"{len(focused)} pictures"
    return Hint(f"{text}\n{_FOCUSED.format(what)}" if focused else text, tuple(focused))


def recalls(cases: Sequence[Case], tools: Tools, matcher: Matcher, data: Path | None) -> list[dict[str, Any]]:
    """For each case with gold variables, how many of them its tool alone finds, by role.

    Returns:
        JSON objects: ``dataset``, ``case_id``, ``cluster``, ``tool``, ``found`` (how much it found at all) and
        ``counts`` (role to ``tp`` and ``fn``).

    Raises:
        DataError: a picture of a case cannot be read.
    """
    records = []
    for case in cases:
        if case.variables:
            found = findings(case, tools, data)
            records.append(
                {
                    "dataset": case.dataset,
                    "case_id": case.id,
                    "cluster": case.cluster,
                    "tool": tools[case.modality].name,
                    "found": len(found),
                    "counts": recall(case, found, matcher),
                }
            )
    return records


def shown_pictures(case: Case, data: Path | None) -> list[bytes]:
    """The pictures of a case as a tool gets them.

    Raises:
        DataError: one cannot be read.
    """
    if not case.media:
        return []
    from counterpoise.counterfactual.pictures import picture

    return [picture(media, data) for media in case.media]
