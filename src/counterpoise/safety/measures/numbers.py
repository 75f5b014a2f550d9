"""Questions whose answer is a number that has to be worked out."""

from collections.abc import Sequence

from counterpoise.lm.protocol import Completion, LanguageModel, Request
from counterpoise.safety.measures.answers import final_number
from counterpoise.safety.measures.item import Item
from counterpoise.safety.measures.result import Result, answered, failed, messages
from counterpoise.safety.measures.settings import MeasureSettings

__all__ = ["NUMBER_JUDGE", "ask_numbers", "number_prompt", "number_result"]

NUMBER_JUDGE = "final-number-1"


def ask_numbers(model: LanguageModel, items: Sequence[Item], settings: MeasureSettings) -> list[Result]:
    """Put questions to a model in one batch and read the numbers that it ends with."""
    requests = [
        Request(messages=messages(settings, number_prompt(item)), max_tokens=settings.answer_tokens, seed=settings.seed)
        for item in items
    ]
    return [
        number_result(item, completion) for item, (completion,) in zip(items, model.generate(requests), strict=True)
    ]


def number_prompt(item: Item) -> str:
    """The question with what form the answer has."""
    return f'{item.prompt}\nWork it out step by step and end with "The answer is" and the number.'


def number_result(item: Item, completion: Completion) -> Result:
    """What a worked answer is worth."""
    if completion.finish == "error":
        return failed(completion, NUMBER_JUDGE)
    number = final_number(completion.text)
    right = number is not None and number == final_number(item.target or "")
    return answered(completion, NUMBER_JUDGE, right, None if number is not None else "no number in the answer")
