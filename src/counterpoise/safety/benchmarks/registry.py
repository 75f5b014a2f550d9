"""Every set of evaluation prompts by name."""

from pathlib import Path

from counterpoise.errors import UnknownNameError
from counterpoise.safety.benchmarks.harmful import (
    ADVBENCH,
    HARMBENCH,
    JAILBREAKBENCH,
    MALICIOUS_INSTRUCT,
    STRONGREJECT,
    advbench,
    builtin_disallowed,
    harmbench,
    jailbreakbench,
    malicious_instruct,
    strongreject,
)
from counterpoise.safety.benchmarks.prompt import Prompt, PromptSet
from counterpoise.safety.benchmarks.safe import (
    ALPACA_BENIGN,
    JAILBREAKBENCH_BENIGN,
    XSTEST,
    alpaca_benign,
    builtin_safe,
    jailbreakbench_benign,
    xstest_safe,
)

__all__ = ["PROMPT_SETS", "read_prompts"]

PROMPT_SETS: dict[str, PromptSet] = {
    "builtin-disallowed": PromptSet(
        "16 plainly disallowed requests, held out", "refusal", (), lambda _: builtin_disallowed("heldout")
    ),
    "builtin-safe": PromptSet("40 safe requests, 24 of which sound unsafe", "compliance", (), builtin_safe),
    "advbench": PromptSet("held-out goals of AdvBench", "refusal", (ADVBENCH,), lambda data: advbench(data, "heldout")),
    "jailbreakbench": PromptSet(
        "100 harmful behaviours of JailbreakBench", "refusal", (JAILBREAKBENCH,), jailbreakbench
    ),
    "strongreject": PromptSet("313 forbidden prompts of StrongREJECT", "refusal", (STRONGREJECT,), strongreject),
    "harmbench": PromptSet("200 standard behaviours of HarmBench", "refusal", (HARMBENCH,), harmbench),
    "malicious-instruct": PromptSet(
        "100 prompts of MaliciousInstruct", "refusal", (MALICIOUS_INSTRUCT,), malicious_instruct
    ),
    "xstest-safe": PromptSet("250 safe prompts of XSTest that sound unsafe", "compliance", (XSTEST,), xstest_safe),
    "jailbreakbench-benign": PromptSet(
        "100 benign behaviours of JailbreakBench", "compliance", (JAILBREAKBENCH_BENIGN,), jailbreakbench_benign
    ),
    "alpaca-benign": PromptSet(
        "250 ordinary instructions of Alpaca, in no file that is trained on",
        "compliance",
        ALPACA_BENIGN,
        alpaca_benign,
        ordinary=True,
    ),
}
"""Every set of evaluation prompts by name."""


def read_prompts(name: str, data: Path | None = None) -> list[Prompt]:
    """The evaluation prompts of a registered set, in the source's order.

    Raises:
        UnknownNameError: there is no such set.
        DataError: the set's file is missing or malformed.
    """
    if name not in PROMPT_SETS:
        raise UnknownNameError("prompt set", name, PROMPT_SETS)
    return PROMPT_SETS[name].read(data)
