"""Language models: one protocol, and everything that satisfies it.

:mod:`~counterpoise.lm.local` runs transformers models on this machine, :mod:`~counterpoise.lm.embedded` finds the two
models that come as packages, :mod:`~counterpoise.lm.hosted` reaches every other model through Inspect AI, and
:mod:`~counterpoise.lm.fake` needs no weights. :func:`~counterpoise.lm.names.open_model` turns a name into a model.
"""

from counterpoise.lm.fake import FakeLM
from counterpoise.lm.protocol import Completion, LanguageModel, Message, Request, TokenLogprobs

__all__ = ["Completion", "FakeLM", "LanguageModel", "Message", "Request", "TokenLogprobs"]
