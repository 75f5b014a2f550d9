"""What Inspect AI finds through the entry point ``inspect_ai``: local models, and a task for every dataset."""

from counterpoise.counterfactual.tasks import TASKS
from counterpoise.lm.inspect_provider import CounterpoiseAPI

__all__ = ["TASKS", "CounterpoiseAPI"]
