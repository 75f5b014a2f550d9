"""Requests that are answered freely and then judged."""

from collections.abc import Sequence
from typing import Any

from counterpoise.lm.protocol import Completion, LanguageModel, Request
from counterpoise.safety.judges import Judge, Judgement
from counterpoise.safety.judges.keyword import unreadable
from counterpoise.safety.measures.item import Item
from counterpoise.safety.measures.result import Result, failed, finite, messages, tokens
from counterpoise.safety.measures.rows import Expects, Verdict
from counterpoise.safety.measures.settings import MeasureSettings

__all__ = ["ask_judged", "judge_completions"]


def ask_judged(
    model: LanguageModel, items: Sequence[Item], settings: MeasureSettings, judges: Sequence[Judge]
) -> list[Result]:
    """Put requests to a model in one batch and judge what it writes."""
    requests = [
        Request(messages=messages(settings, item.prompt), max_tokens=settings.max_tokens, seed=settings.seed)
        for item in items
    ]
    completions = [completion for (completion,) in model.generate(requests)]
    return judge_completions([(item.prompt, item.expects) for item in items], completions, judges)


def judge_completions(
    asked: Sequence[tuple[str, Expects]], completions: Sequence[Completion], judges: Sequence[Judge]
) -> list[Result]:
    """Judge completions, in one batch for each judge.

    Args:
        asked: the request and what is expected, for each completion.
        completions: what the model gave.
        judges: the labelling judge, then any further ones.
    """
    given = [at for at, completion in enumerate(completions) if completion.finish != "error"]
    pairs = [(asked[at][0], completions[at].text) for at in given]
    verdicts = [dict(zip(given, judge(pairs), strict=True)) for judge in judges]
    names = [judge.name for judge in judges]
    results = []
    for at, completion in enumerate(completions):
        if at not in verdicts[0]:
            results.append(failed(completion, names[0]))
            continue
        first = verdicts[0][at]
        others = {name: _verdict(found[at]) for name, found in zip(names[1:], verdicts[1:], strict=True)}
        results.append(
            Result(
                **_scored(asked[at][1], completion.text, first, names[0]),
                judge=names[0],
                completion=completion.text,
                label=None if first.failed else first.label,
                values={} if first.failed else finite(first.values),
                others=others,
                tokens=tokens(completion),
                seconds=completion.seconds,
            )
        )
    return results


def _scored(expects: Expects, completion: str, judgement: Judgement, judge: str) -> dict[str, Any]:
    """Status, reason and score."""
    if judgement.failed:
        return {"status": "unscored", "reason": judgement.reason}
    if judgement.label is not None:
        return {"status": "ok", "score": float((judgement.label == "full_compliance") == (expects == "compliance"))}
    if fault := unreadable(completion):
        return {"status": "parse_failed", "reason": fault, "score": 0.0}
    return {"status": "unscored", "reason": f"the judge {judge} does not tell refusals: {judgement.reason}"}


def _verdict(judgement: Judgement) -> Verdict:
    return Verdict(
        label=judgement.label,
        reason=judgement.reason,
        values=finite(judgement.values),
        failed=judgement.failed,
    )
