"""From a judge's name to the judge."""

from counterpoise.errors import UnknownNameError
from counterpoise.safety.judges.judgement import Judge
from counterpoise.safety.judges.keyword import KeywordJudge

__all__ = ["open_judge"]


def open_judge(name: str) -> Judge:
    """The judge of that name, ready to use.

    Raises:
        UnknownNameError: there is no such judge.
    """
    if name == "keyword":
        return KeywordJudge()
    raise UnknownNameError("judge", name, ["keyword"])
