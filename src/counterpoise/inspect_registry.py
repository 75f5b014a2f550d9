"""What Inspect AI finds through the entry point ``inspect_ai``: local models, tasks for every dataset and measure."""

from counterpoise.counterfactual.tasks import TASKS
from counterpoise.lm.inspect_provider import CounterpoiseAPI
from counterpoise.safety.tasks import SAFETY_TASKS

__all__ = ["SAFETY_TASKS", "TASKS", "CounterpoiseAPI"]
