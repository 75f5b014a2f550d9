"""Open-Critic-GPT: how would a code read if it were the one that an account of flaws is about.

Source: the dataset ``Vezora/Open-Critic-GPT`` on the Hugging Face hub, about 55,000 synthetic rows in some 127
languages. A model put faults into a code and, in the first person, found and explained them.

What was seen and what was not. The file could not be had here. From the dataset's card and from public code that loads
it: one file of JSON lines, ``Open-Critic-GPT.jsonl``, whose rows have the texts ``Human`` (a faulty code with the
request to find and fix its faults) and ``Assistant`` (the account of the faults, and the working code) after a first
column that is not needed here. That both codes stand in fenced blocks is an assumption: a row where they do not is
rejected with that reason, and a row without the two texts is an error.

The case turns a row round. The context is the request and the working code, the question supposes that the account of
flaws were true of it, and the target is the faulty code, compared by the words that are taken out and put in. There is
no explanation of the working code in a row; so the exposure is *which explanation is true of the code*, a sound one or
the account that the question states. Its gold and that of the other roles is that of
:mod:`~counterpoise.counterfactual.datasets.code_gold`: what follows from a comparison of the two codes.

Codes are compared and shown without comments. Rejected are rows whose codes are equal, differ in white space only, in
more than 30 % of the lines, or are longer than 6,000 characters, or whose account is empty or longer than that.

The set is too large for a run. A fixed sample is used, whatever the order of the rows; see
:mod:`~counterpoise.counterfactual.datasets.code_rows`.
"""

from pathlib import Path

from counterpoise.counterfactual.case import Case, Role, Variable
from counterpoise.counterfactual.datasets.code_diff import LONGEST_CODE, Block, Fault, blocks, fault, fenced, prose
from counterpoise.counterfactual.datasets.code_gold import CONSTRUCT, with_gold
from counterpoise.counterfactual.datasets.code_rows import SUFFIXES, CodeRow, sampled_cases
from counterpoise.counterfactual.datasets.dataset import Dataset, Download, Reject
from counterpoise.counterfactual.match.edit import edit_counts
from counterpoise.errors import DataError
from counterpoise.records import content_hash

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
            return sampled_cases(path, DATASET.name, ("Human", "Assistant"), (), _case)
    raise DataError("no Open-Critic file", where=str(data), expected=" or ".join(DATASET.files))


def _case(row: CodeRow, identity: str) -> Case | str:
    """The case of a row, or why there is none."""
    request, account = prose(row.fields["Human"]), prose(row.fields["Assistant"])
    if not account.split():
        return "there is no explanation"
    if max(len(request), len(account)) > LONGEST_CODE:
        return f"a request or an explanation of more than {LONGEST_CODE} characters"
    found = _pair(blocks(row.fields["Assistant"]), blocks(row.fields["Human"]))
    if isinstance(found, str):
        return found
    if not edit_counts(found.sound.code, found.faulty.code, found.faulty.code)[0]:
        return "the codes differ in capital letters only, or after the last word that is compared"
    case = Case(
        id=identity,
        dataset=DATASET.name,
        modality="code",
        context=(
            f"The request that came with a code, which is its task:\n\n{request or '(none)'}\n\n"
            f"The code, without comments:\n\n{fenced(found.sound)}\n\n"
            f"The {_EXPOSURE} is a {_SOUND}. Were it another one, a {CONSTRUCT} would make a {_OUTCOME}."
        ),
        question=(
            f"Suppose that the {_EXPOSURE} were not a {_SOUND} but this {_FLAWED}:\n\n{account}\n\n"
            "How would the whole code, without comments, then read?"
        ),
        answer_kind="edit",
        target=found.faulty.code,
        original=found.sound.code,
        gold_kind="published",
        source=_SOURCE,
        revision=_COMMIT,
        # A code can have been given several faults.
        cluster="open-critic-code-" + content_hash(found.sound.code, length=10),
        facets=found.facets,
    )
    exposure = Variable(
        name=_EXPOSURE,
        role=Role.EXPOSURE,
        factual=_SOUND,
        counterfactual=_FLAWED,
        aliases=("explanation", "explanation that is true of the code"),
        gloss="which explanation is true of it",
    )
    return with_gold(case, request, found, exposure, _OUTCOME)


def _pair(working: list[Block], faulty: list[Block]) -> Fault | str:
    """The two blocks that are one code without and with a fault."""
    if not working or not faulty:
        return f"there is no code block in the {'answer' if faulty else 'request'}"
    pairs = [(sound, flawed) for sound in working[:_MOST_BLOCKS] for flawed in faulty[:_MOST_BLOCKS]]
    pairs = [pair for pair in pairs if pair[0].lines != pair[1].lines] or pairs[:1]
    return fault(*max(pairs, key=lambda pair: len(set(pair[0].lines) & set(pair[1].lines))))


_MOST_BLOCKS = 4
_EXPOSURE, _OUTCOME = "explanation of the code", "changed line"
_SOUND, _FLAWED = "sound explanation", "account of flaws"
_SOURCE = "https://huggingface.co/datasets/Vezora/Open-Critic-GPT"
_COMMIT = "f719a4c8c16ea730217f94f38c6c1264bd312925"
_NAME = "Open-Critic-GPT"

DATASET = Dataset(
    name="open-critic",
    title="the code that an account of flaws is about (Open-Critic-GPT)",
    modality="code",
    gold_kind="derived",
    source=_SOURCE,
    revision=_COMMIT,
    licence="Vezora licence (LICENSE in the source)",
    roles={
        Role.EXPOSURE: "the explanation that is true of the code, sound or an account of flaws",
        Role.COVARIATE: "the task",
        Role.MEDIATOR: "the construct that is faulty",
        Role.OUTCOME: "the line of code that the construct stands in",
    },
    gold="By rule from the lines and tokens in which the working and the faulty code of a row differ.",
    files=tuple(f"{folder}{_NAME}{suffix}" for folder in ("open_critic/", f"{_NAME}/", "") for suffix in SUFFIXES),
    downloads=(
        Download(
            path=f"open_critic/{_NAME}.jsonl",
            repository="Vezora/Open-Critic-GPT",
            revision=_COMMIT,
            file=f"{_NAME}.jsonl",
            hub=True,
        ),
    ),
    read=read,
)
