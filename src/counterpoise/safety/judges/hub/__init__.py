"""Judges that are published classifiers: guard models of the Hugging Face hub, asked in their own forms."""

from counterpoise.safety.judges.hub.judge import HubJudge
from counterpoise.safety.judges.hub.opening import GUARDS, HUB_JUDGES, open_hub_judge

__all__ = ["GUARDS", "HUB_JUDGES", "HubJudge", "open_hub_judge"]
