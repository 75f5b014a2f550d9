"""From a judge's name to the judge."""

from collections.abc import Callable
from dataclasses import dataclass

from counterpoise.errors import UnknownNameError, UsageError
from counterpoise.safety.judges.classifier import CLASSIFIER, open_classifier
from counterpoise.safety.judges.hub import HUB_JUDGES, open_hub_judge
from counterpoise.safety.judges.judgement import Judge
from counterpoise.safety.judges.keyword import KEYWORD_JUDGE, KeywordJudge
from counterpoise.safety.judges.prefixes import GcgPrefixes, XstestStrings
from counterpoise.safety.judges.rubric import RUBRIC_JUDGES, open_rubric_judge

__all__ = ["EMBEDDED_JUDGES", "JUDGES", "JudgeEntry", "open_judge"]


@dataclass(frozen=True, slots=True)
class JudgeEntry:
    """A judge that can be named.

    Attributes:
        name: how the user names it.
        needs: what it needs beyond the package; empty for nothing.
        summary: what it does, one line.
        spec: what may or must follow ``NAME=``; empty for nothing.
        version: its name with version, where that is fixed.
        fitted: it was fitted on the shared labelled completions, so it is measured there by what is fitted without
            the model whose completions are judged.
    """

    name: str
    needs: str
    summary: str
    spec: str = ""
    version: str = ""
    fitted: bool = False


_EMBEDDED: dict[str, tuple[JudgeEntry, Callable[[], Judge]]] = {
    "classifier": (
        JudgeEntry(
            "classifier",
            "embedded/minilm",
            "refusal in three labels, and coherence; fitted on human labels",
            version=CLASSIFIER,
            fitted=True,
        ),
        open_classifier,
    ),
    "keyword": (
        JudgeEntry("keyword", "", "refusal in three labels, by phrases that decline", version=KEYWORD_JUDGE),
        KeywordJudge,
    ),
    "gcg-prefixes": (
        JudgeEntry("gcg-prefixes", "", "refused or not, by the strings of the GCG work", version=GcgPrefixes.name),
        GcgPrefixes,
    ),
    "xstest-strings": (
        JudgeEntry("xstest-strings", "", "refused or not, by the openings of XSTest", version=XstestStrings.name),
        XstestStrings,
    ),
}

EMBEDDED_JUDGES = tuple(_EMBEDDED)
"""Names of the judges that need nothing from outside, the default first."""

JUDGES: dict[str, JudgeEntry] = {
    **{name: entry for name, (entry, _) in _EMBEDDED.items()},
    **{
        name: JudgeEntry(name, "the hub, or a folder", text, "FOLDER or REPOSITORY")
        for name, text in HUB_JUDGES.items()
    },
    **{name: JudgeEntry(name, "a language model", text, "MODEL") for name, text in RUBRIC_JUDGES.items()},
}
"""Every judge by name."""


def open_judge(name: str) -> Judge:
    """The judge of that name, ready to use.

    Args:
        name: a key of :data:`JUDGES`. A hub judge may say where its weights are, as in ``wildguard=FOLDER`` or
            ``wildguard=owner/name@revision``; a rubric must say which model reads it, as in ``rubric=openai/gpt-5``.

    Raises:
        UnknownNameError: there is no such judge.
        UsageError: the judge needs more than its name, or takes no more; what it needs is not installed or not found.
    """
    kind, given, spec = name.partition("=")
    if kind not in JUDGES:
        raise UnknownNameError("judge", kind, JUDGES)
    if given and not spec:
        raise UsageError(f"judge {name!r} ends with '='", expected=f"{kind}={JUDGES[kind].spec or ''}".rstrip("="))
    if kind in _EMBEDDED:
        if spec:
            raise UsageError(f"judge {kind!r} takes nothing after its name", where=name, expected=kind)
        return _EMBEDDED[kind][1]()
    if kind in HUB_JUDGES:
        return open_hub_judge(kind, spec or None)
    if not spec:
        raise UsageError(f"judge {kind!r} needs a model", expected=f"{kind}=MODEL, as in {kind}=openai/gpt-5")
    return open_rubric_judge(kind, spec)
