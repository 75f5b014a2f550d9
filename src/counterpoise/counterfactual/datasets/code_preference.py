"""Code-Preference-Pairs: which line would explain how a code behaves if the rejected one had been written.

Source: the dataset ``Vezora/Code-Preference-Pairs`` on the Hugging Face hub, about 55,000 synthetic rows in some 127
languages. A row is a task with two answers, accepted and rejected, which by the dataset's card are the same but for
faults that were put into the code of the second one.

What was seen and what was not. The file could not be had here. From the dataset's card and from public code that loads
it: one file of JSON lines, ``Code-Preference-Pairs.jsonl``, whose rows have the texts ``input`` (the task),
``accepted`` and ``rejected`` (answers in Markdown, code in a fenced block with words around it), and also
``instruction``, which is read where ``input`` is empty, and ``ID``, which is not. A row without a pair of blocks is
rejected with that reason, and a row without the three texts is an error.

There is no explanation of the rejected code in a row. So the outcome is the line by which its behaviour is explained,
and the question is a choice among lines: one that the fault changed, the line that stood there before, and lines that
both codes have. The gold of the stages is that of :mod:`~counterpoise.counterfactual.datasets.code_gold`, with the code
that is written, accepted or rejected, as the exposure.

Codes are compared and shown without comments. Rejected are rows whose codes are equal, differ in white space only, in
more than 30 % of the lines, or are longer than 6,000 characters, where more than one block differs, or where no line
of the rejected code is new.

The set is too large for a run. A fixed sample is used, whatever the order of the rows; see
:mod:`~counterpoise.counterfactual.datasets.code_rows`.
"""

from collections.abc import Sequence
from pathlib import Path

from counterpoise.counterfactual.case import Case, Role, Variable
from counterpoise.counterfactual.datasets.code_diff import LONGEST_CODE, Block, Fault, blocks, fault, fenced
from counterpoise.counterfactual.datasets.code_gold import CONSTRUCT, with_gold
from counterpoise.counterfactual.datasets.code_rows import SUFFIXES, CodeRow, sampled_cases
from counterpoise.counterfactual.datasets.dataset import Dataset, Download, Reject
from counterpoise.errors import DataError
from counterpoise.records import content_hash
from counterpoise.rng import rng_for

__all__ = ["DATASET", "read"]


def read(data: Path | None) -> tuple[list[Case], list[Reject]]:
    """Read the first of the dataset's files that the data folder has.

    Returns:
        The cases of the sample, sorted by id, and the rows that were looked at and cannot be used.

    Raises:
        DataError: there is no file, or it is malformed; names file and row.
        MissingExtraError: a Parquet file, and pyarrow is not installed.
    """
    for file in DATASET.files:
        if data is not None and (path := data / file).is_file():
            fields = ("input", "accepted", "rejected")
            return sampled_cases(path, DATASET.name, fields, ("instruction",), _case)
    raise DataError("no Code-Preference file", where=str(data), expected=" or ".join(DATASET.files))


def _case(row: CodeRow, identity: str) -> Case | str:
    """The case of a row, or why there is none."""
    task = row.fields["input"] or row.fields["instruction"]
    if not task.split():
        return "there is no task"
    if len(task) > LONGEST_CODE:
        return f"a task of more than {LONGEST_CODE} characters"
    found = _pair(blocks(row.fields["accepted"]), blocks(row.fields["rejected"]))
    if isinstance(found, str):
        return found
    options = _options(found, identity)
    if len(options) < 2:
        return "no line of the rejected code explains alone that it is another"
    right = options[0]
    rng_for(0, "code-preference", identity).shuffle(options)
    case = Case(
        id=identity,
        dataset=DATASET.name,
        modality="code",
        context=(
            f"The task:\n\n{task}\n\nThe accepted code, without comments:\n\n{fenced(found.sound)}\n\n"
            f"The {_EXPOSURE} is the {_ACCEPTED}. Were it another one, a {CONSTRUCT} would make it behave otherwise, "
            f"and the line that this stands in is the {_OUTCOME}."
        ),
        question=(
            f"Suppose that the {_EXPOSURE} were the {_REJECTED} instead:\n\n{fenced(found.faulty)}\n\n"
            "Which line would then explain that the code does not behave as the accepted one does?"
        ),
        options=tuple(options),
        answer_kind="choice",
        target=chr(ord("A") + options.index(right)),
        gold_kind="published",
        source=_SOURCE,
        revision=_COMMIT,
        # Several rows can begin with the same code.
        cluster="code-preference-code-" + content_hash(found.sound.code, length=10),
        facets=found.facets,
    )
    exposure = Variable(
        name=_EXPOSURE,
        role=Role.EXPOSURE,
        factual=_ACCEPTED,
        counterfactual=_REJECTED,
        aliases=("code", "written code"),
        gloss="which of the two codes it is",
    )
    return with_gold(case, task, found, exposure, _OUTCOME)


def _pair(accepted: list[Block], rejected: list[Block]) -> Fault | str:
    """The blocks that differ; the answers have the same ones in the same order."""
    if not accepted or not rejected:
        return f"there is no code block in the {'accepted' if rejected else 'rejected'} answer"
    if len(accepted) != len(rejected):
        return f"the answers have {len(accepted)} and {len(rejected)} code blocks"
    pairs = list(zip(accepted, rejected, strict=True))
    different = [pair for pair in pairs if pair[0].lines != pair[1].lines]
    if len(different) > 1:
        return f"{len(different)} code blocks differ"
    return fault(*(different or pairs)[0])


def _options(found: Fault, identity: str) -> list[str]:
    """Lines to choose from, the right one first; fewer than two where there is no choice."""
    old = [line.strip() for line in found.sound.lines]
    new = [line.strip() for line in found.faulty.lines]
    changed = [new[index] for index in found.changed]
    # A line that the sound code has somewhere, or that stands twice, would not explain it by itself.
    right = [line for line in changed if new.count(line) == 1 and line not in old and _sayable(line)]
    if not right:
        return []
    replaced = [place.line for place in found.places or () if place.faulty_line == right[0] and _sayable(place.line)]
    shared = [line for line in dict.fromkeys(new) if line in old and _sayable(line)]
    rng_for(0, "code-preference", "options", identity).shuffle(shared)
    return _distinct([right[0], *replaced, *shared])[:_MOST_OPTIONS]


def _sayable(line: str) -> bool:
    return len(line) <= _LONGEST_OPTION and any(character.isalnum() for character in line)


def _distinct(lines: Sequence[str]) -> list[str]:
    """The lines without those that read like an earlier one but for capital letters."""
    return list({line.casefold(): line for line in reversed(lines)}.values())[::-1]


_MOST_OPTIONS = 4
_LONGEST_OPTION = 200
_EXPOSURE, _OUTCOME = "code that is written", "line that explains the behaviour"
_ACCEPTED, _REJECTED = "accepted code", "rejected code"
_SOURCE = "https://huggingface.co/datasets/Vezora/Code-Preference-Pairs"
_COMMIT = "dffbc647a040fe3a35348303df03c03f0ed5e915"
_NAME = "Code-Preference-Pairs"

DATASET = Dataset(
    name="code-preference",
    title="the line that would explain how the rejected code behaves (Code-Preference-Pairs)",
    modality="code",
    gold_kind="derived",
    source=_SOURCE,
    revision=_COMMIT,
    licence="Vezora licence (LICENSE in the source)",
    roles={
        Role.EXPOSURE: "the code that is written, accepted or rejected",
        Role.COVARIATE: "the task",
        Role.MEDIATOR: "the construct that makes the behaviour differ",
        Role.OUTCOME: "the line that explains the behaviour",
    },
    gold="By rule from the lines and tokens in which the accepted and the rejected code of a row differ.",
    files=tuple(f"{folder}{_NAME}{suffix}" for folder in ("code_preference/", f"{_NAME}/", "") for suffix in SUFFIXES),
    downloads=(
        Download(
            path=f"code_preference/{_NAME}.jsonl",
            repository="Vezora/Code-Preference-Pairs",
            revision=_COMMIT,
            file=f"{_NAME}.jsonl",
            hub=True,
            sha256="7ee967f61e114e15c047f6f58b481a0f6c026777c996a6e8b94c5a5fa55ef6b2",
        ),
    ),
    read=read,
)
