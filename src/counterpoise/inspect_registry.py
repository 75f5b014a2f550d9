"""What Inspect AI finds through the entry point ``inspect_ai``: local models, and the diagnosis."""

from counterpoise.counterfactual.tasks import arithmetic, crass, scm_code, scm_image, scm_math, scm_text
from counterpoise.lm.inspect_provider import CounterpoiseAPI

__all__ = ["CounterpoiseAPI", "arithmetic", "crass", "scm_code", "scm_image", "scm_math", "scm_text"]
