"""COCO-Counterfactuals: which caption would fit a picture if one thing in its scene were another.

Source: Le, Lal and Howard, "COCO-Counterfactuals: Automatically Constructed Counterfactual Examples for Image-Text
Pairs" (arXiv 2309.14356). An item is a pair of captions that differ in one noun, which a masked language model put in,
and a pair of pictures that a diffusion model made of them. The case shows the first picture, the factual one, and never
its caption outside the options.

The gold follows by rule from the two captions. As texts they differ in more than the noun: the second one went through
a tokenizer, which left its own quotation marks and spaces. So words and punctuation marks are compared. What is left
when the beginning and the end that they share are taken off is the replaced part; a pair that differs in more than one
place, or in more than :data:`MOST_WORDS` words, is rejected. So is one whose replaced words occur again in the caption,
because the question could not say which of them it means.

==========  ======================================================================================================
exposure    the replaced part of the scene, from the first caption's words to those of the second
covariate   the rest of the scene: the caption without the phrase of the mediator, the same in both worlds
mediator    the detail in the picture: the phrase of the replaced words ("a polar bear" for "bear"), which goes from
            the last function word or punctuation mark to the next one, or to a word in -ing or -ed, and has the
            article that stands before it
outcome     the fitting caption: the rest of the scene with that phrase in its gap
==========  ======================================================================================================

So the edges are exposure to mediator, mediator to outcome and covariate to outcome, and the outcome is put together
from its two causes. Captions longer than :data:`LONGEST_VALUE` characters, more than a stage can be answered with, have
no gold for the outcome stage.

The options are the second caption (the target), the first one, and two decoys of the same words: one that puts the new
thing in place of something else, and one that has the new thing in its place but the old one in place of something
else. All are written on the words of the first caption, so that no typography tells them apart. There are two options
where nothing else can be replaced. Nobody has to see the picture to answer: the target is the one option with the new
words and without the old ones, which a reader of the text can find. What a text-only baseline scores says how many do.

The pictures are not in the file of captions. They are looked for in a folder ``images`` beside it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from counterpoise.counterfactual.case import Case, Photo, Role, Variable
from counterpoise.counterfactual.datasets.dataset import Dataset, Download, Reject
from counterpoise.counterfactual.datasets.source_text import json_lines, text_field
from counterpoise.errors import DataError
from counterpoise.rng import rng_for

__all__ = ["DATASET", "FILES", "LONGEST_VALUE", "MOST_WORDS", "Replacement", "read", "replacement"]

MOST_WORDS = 3
"""Words that a replaced part may have, before and after."""
LONGEST_VALUE = 80
"""Characters of a value that a stage may be answered with."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """How two captions differ.

    Attributes:
        caption: the first caption with single spaces.
        tokens: its words and punctuation marks, each with where it begins and ends.
        start: where the replaced part begins in it.
        end: where it ends.
        old: the replaced words, as they read within a sentence.
        new: what replaces them.
    """

    caption: str
    tokens: tuple[tuple[str, int, int], ...]
    start: int
    end: int
    old: str
    new: str


def replacement(first: str, second: str) -> Replacement | str:
    """The one difference of two captions, or why there is no such thing.

    >>> replacement("A cup on a desk .", " A mug on  a desk.").new
    'mug'
    >>> replacement("A cup on a desk.", "A mug on a shelf.")
    'the captions differ in more than one place'
    """
    caption, other = _clean(first), _clean(second)
    before, after = _tokens(caption), _tokens(other)
    old_words, new_words = [[token[0].casefold() for token in tokens] for tokens in (before, after)]
    if not before or not after:
        return "a caption is empty"
    if old_words == new_words:
        return "the captions are the same"
    shorter = min(len(before), len(after))
    start = _shared(old_words, new_words, shorter)
    tail = _shared(old_words[::-1], new_words[::-1], shorter - start)
    old, new = old_words[start : len(before) - tail], new_words[start : len(after) - tail]
    if not old or not new:
        return "the second caption adds or drops words and replaces none"
    if set(old) & set(new):
        return "the captions differ in more than one place"
    if not all(map(_has_words, (old[0], old[-1], new[0], new[-1]))):
        return "what is replaced is no word"
    if max(len(old), len(new)) > MOST_WORDS:
        return f"the captions differ in {max(len(old), len(new))} words"
    if _occurs(old, old_words[:start]) or _occurs(old, old_words[len(before) - tail :]):
        return f"the replaced {' '.join(old)!r} occurs more than once in the caption"
    begin, end = before[start][1], before[len(before) - tail - 1][2]
    new_said = other[after[start][1] : after[len(after) - tail - 1][2]]
    old_said = caption[begin:end]
    if begin == 0 and caption[0].isupper():
        # A word has this capital letter because of where it stands.
        old_said, new_said = _uncapitalised(old_said), _uncapitalised(new_said)
    return Replacement(caption, before, begin, end, old_said, new_said)


def read(data: Path | None) -> tuple[list[Case], list[Reject]]:
    """Read the first of :data:`FILES` that the data folder has.

    Returns:
        The cases, in the file's order, and the items that cannot be used. A second occurrence of an id is rejected.

    Raises:
        DataError: there is no file, or it is malformed; names file and line.
    """
    for file, revision in FILES.items():
        if data is not None and (path := data / file).is_file():
            folder = file.rpartition("/")[0] + "/images"
            return _cases(path, folder, revision)
    raise DataError("no COCO-Counterfactuals file", where=str(data), expected=" or ".join(FILES))


def _cases(path: Path, folder: str, revision: str) -> tuple[list[Case], list[Reject]]:
    cases: list[Case] = []
    rejects: list[Reject] = []
    first_seen: dict[str, str] = {}
    for where, record in json_lines(path):
        identity = text_field(record, "id", where).strip()
        if not identity:
            raise DataError("field 'id' is empty", where=where, expected="the id of the pair")
        case_id, short = f"coco-{identity}", where.removeprefix(f"{path} ")
        if case_id in first_seen:
            reason = f"the same item occurs twice ({short}, first {first_seen[case_id]})"
            rejects.append(Reject(case_id, reason))
            continue
        first_seen[case_id] = short
        case = _case(record, identity, folder, revision, where)
        if isinstance(case, Case):
            cases.append(case)
        else:
            rejects.append(Reject(case_id, f"{case} ({short})"))
    return cases, rejects


def _case(record: Mapping[str, Any], identity: str, folder: str, revision: str, where: str) -> Case | str:
    """The case of a pair, or why there is none."""
    first, second, image = (text_field(record, name, where) for name in ("caption_0", "caption_1", "image_0"))
    if not _IMAGE.fullmatch(image):
        return f"{image[:80]!r} is not the name of a picture"
    found = replacement(first, second)
    if isinstance(found, str):
        return found
    low, high = _phrase(found)
    caption, fitting = found.caption, _put(found.caption, found.start, found.end, found.new)
    if not _has_words(caption[:low] + caption[high:]):
        return "the caption says nothing of the rest of the scene"
    # The phrase ends as far from the end of the caption in both worlds.
    detail, new_detail = caption[low:high], fitting[low : len(fitting) - (len(caption) - high)]
    rest = f"{caption[:low]}…{caption[high:]}"
    rng = rng_for(0, "coco", identity)
    options = [caption, fitting, *_decoys(found, fitting, (low, high), rng)]
    rng.shuffle(options)
    answerable = max(len(caption), len(fitting)) <= LONGEST_VALUE
    return Case(
        id=f"coco-{identity}",
        dataset="coco",
        modality="image",
        context=(
            "The picture shows a scene. Every detail in the picture shows a part of the scene, and a fitting caption "
            "says what the picture shows."
        ),
        media=(Photo(file=f"{folder}/{image}{'' if '.' in image else _SUFFIX}"),),
        question=(
            f'Suppose that the replaced part of the scene, "{found.old}", were "{found.new}" instead, and that the '
            "rest of the scene were the same. Which would then be the fitting caption?"
        ),
        options=tuple(options),
        answer_kind="choice",
        variables=(
            Variable(
                name=_EXPOSURE,
                role=Role.EXPOSURE,
                factual=found.old,
                counterfactual=found.new,
                aliases=("replaced thing", "part that is replaced", "thing that is changed", found.old),
                gloss="the one thing in the scene that the question replaces",
            ),
            Variable(
                name=_COVARIATE,
                role=Role.COVARIATE,
                factual=rest,
                counterfactual=rest,
                aliases=("remaining scene", "everything else in the scene", "unchanged part of the scene"),
                gloss="what a caption says besides that detail",
            ),
            Variable(
                name=_MEDIATOR,
                role=Role.MEDIATOR,
                factual=detail,
                counterfactual=new_detail,
                aliases=("what the picture shows there", "detail of the picture", "picture detail"),
                gloss="the words for what the picture shows in that place",
            ),
            Variable(
                name=_OUTCOME,
                role=Role.OUTCOME,
                factual=caption,
                counterfactual=fitting if answerable else None,
                aliases=("caption", "caption that fits", "matching caption", "caption of the picture"),
            ),
        ),
        edges=((_EXPOSURE, _MEDIATOR), (_COVARIATE, _OUTCOME), (_MEDIATOR, _OUTCOME)),
        intervention={_EXPOSURE: found.new},
        target=chr(ord("A") + options.index(fitting)),
        gold_kind="derived",
        source=_SOURCE,
        revision=revision,
        # Before the underscore stands the picture of MS-COCO whose captions were edited.
        cluster="coco-image-" + identity.partition("_")[0],
        facets={
            "options": str(len(options)),
            "place": "beginning" if low == 0 else "middle" if _has_words(caption[high:]) else "end",
        },
    )


_EXPOSURE, _COVARIATE = "replaced part of the scene", "rest of the scene"
_MEDIATOR, _OUTCOME = "detail in the picture", "fitting caption"
_IMAGE = re.compile(r"\w[\w-]*(?:\.(?:jpg|jpeg|png))?", re.ASCII)
_SUFFIX = ".jpg"
_LETTER = re.compile(r"[^\W_]")
_TOKEN = re.compile(r"\w+(?:-\w+)*|[^\w\s]")
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})

_DETERMINERS = frozenset(
    "a an the this that these those some any each every another his her its their my your our two three four five six "
    "seven eight nine ten several many few one".split()
)
_FUNCTION_WORDS = _DETERMINERS | frozenset(
    "and or but nor so yet as if while when where which who whom whose that than then there here "
    "about above across after against along among amid around at atop before behind below beneath beside besides "
    "between beyond by down during for from in inside into near next of off on onto out outside over past per through "
    "throughout to together toward towards under underneath until up upon via with within without "
    "am is are was were be been being has have had having do does did can could will would may might must shall should "
    "not no it he she they them him i you we us me himself herself itself themselves s t all both other others".split()
)


def _clean(text: str) -> str:
    """The caption with plain quotation marks, single spaces and none at its ends."""
    plain = text.translate(_QUOTES).replace("``", '"').replace("''", '"')
    return " ".join(plain.split())


def _tokens(text: str) -> tuple[tuple[str, int, int], ...]:
    """Words and punctuation marks, each with where it begins and ends."""
    return tuple((found[0], *found.span()) for found in _TOKEN.finditer(text))


def _has_words(text: str) -> bool:
    return _LETTER.search(text) is not None


def _shared(first: Sequence[str], second: Sequence[str], most: int) -> int:
    """How many words two lists begin with alike, of at most so many."""
    for index in range(most):
        if first[index] != second[index]:
            return index
    return most


def _occurs(words: Sequence[str], text: Sequence[str]) -> bool:
    return any(list(text[at : at + len(words)]) == list(words) for at in range(len(text) - len(words) + 1))


def _uncapitalised(text: str) -> str:
    """The text as it would read within a sentence; words in capital letters keep them."""
    return text[:1].lower() + text[1:] if text[1:] == text[1:].lower() and len(text) > 1 else text


def _put(text: str, start: int, end: int, words: str) -> str:
    """The text with other words in a place; at its beginning they take on a capital letter that stood there."""
    if start == 0 and text[:1].isupper():
        words = words[:1].upper() + words[1:]
    return text[:start] + words + text[end:]


def _phrase(found: Replacement) -> tuple[int, int]:
    """Where the phrase of the replaced part begins and ends: up to the next function words, with an article before."""
    tokens = found.tokens
    low = next(index for index, token in enumerate(tokens) if token[1] == found.start)
    high = next(index for index, token in enumerate(tokens) if token[2] == found.end)
    while low and _carries(tokens[low - 1][0]):
        low -= 1
    if low and tokens[low - 1][0].casefold() in _DETERMINERS:
        low -= 1
    while high + 1 < len(tokens) and _carries(tokens[high + 1][0]) and not _verbal(tokens[high + 1][0]):
        high += 1
    return tokens[low][1], tokens[high][2]


def _carries(word: str) -> bool:
    """Whether a token is a word with a meaning of its own."""
    return _has_words(word) and word.casefold() not in _FUNCTION_WORDS


def _verbal(word: str) -> bool:
    return word.casefold().endswith(("ing", "ed"))


def _decoys(found: Replacement, fitting: str, phrase: tuple[int, int], rng: Random) -> list[str]:
    """Captions of the same words that do not fit: the new thing, or the old one, in place of something else."""
    caption, grown = found.caption, len(fitting) - len(found.caption)
    places = _other_things(found, phrase)
    if not places:
        return []
    start, end = rng.choice(places)
    shift = grown if start >= found.end else 0
    return [_put(caption, start, end, found.new), _put(fitting, start + shift, end + shift, found.old)]


def _other_things(found: Replacement, phrase: tuple[int, int]) -> list[tuple[int, int]]:
    """Where words stand that something else could be put in place of; things rather than what is said of them."""
    carries = [False, *(_carries(word) for word, _, _ in found.tokens), False]
    taken = {found.old.casefold(), found.new.casefold()}
    words, apart, last, alone = [], [], [], []
    for index, (word, start, end) in enumerate(found.tokens, start=1):
        outside = end <= found.start or start >= found.end
        if not (outside and carries[index] and word.isalpha() and len(word) > 2 and word.casefold() not in taken):
            continue
        words.append((start, end))
        if phrase[0] < end and start < phrase[1]:
            continue
        apart.append((start, end))
        # A word before a function word ends a phrase, and most often names a thing: surely where it is alone.
        if not carries[index + 1] and not _verbal(word):
            last.append((start, end))
            if not carries[index - 1]:
                alone.append((start, end))
    return alone or last or apart or words


_SOURCE = "https://huggingface.co/datasets/Intel/COCO-Counterfactuals"
_COMMIT = "958a3e0b32421b9f07c4c3f78aecbf98019a3402"

FILES: dict[str, str] = {
    "coco_counterfactuals/examples.jsonl": f"examples at {_COMMIT[:7]}",
    "COCO-Counterfactuals/data/examples.jsonl": f"examples at {_COMMIT[:7]}",
    "coco_counterfactuals/caption_pairs_60.jsonl": "first 60 pairs",
}
"""Where the caption pairs may lie below the data folder, best first, with the name of their version.

The file of all pairs, by itself or in a clone of the source's repository; then its first 60 lines.
"""

DATASET = Dataset(
    name="coco",
    title="the caption that would fit if one thing in the picture were another (COCO-Counterfactuals)",
    modality="image",
    gold_kind="derived",
    source=_SOURCE,
    revision=_COMMIT,
    licence="CC BY 4.0",
    roles={
        Role.EXPOSURE: "the part of the scene that is replaced",
        Role.COVARIATE: "the rest of the scene",
        Role.MEDIATOR: "the detail in the picture that shows the replaced part, in the words of its phrase",
        Role.OUTCOME: "the caption that fits the picture",
    },
    gold="By rule from the words in which the two captions of a pair differ.",
    files=tuple(FILES),
    downloads=(
        Download(
            path="coco_counterfactuals/examples.jsonl",
            repository="Intel/COCO-Counterfactuals",
            revision=_COMMIT,
            file="data/examples.jsonl",
            hub=True,
        ),
    ),
    obtain=(
        "The pictures: get data/images.zip (6.4 GB) from the same repository and unpack it in the folder "
        "coco_counterfactuals, so that coco_counterfactuals/images/158956_0_img_0.jpg is one of them."
    ),
    read=read,
)
