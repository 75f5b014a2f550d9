"""Teaching when to decline: texts in a context that is declined, or in one that looks alike and is answered."""

from counterpoise.curation.contrast.compose import Contrasted, contrasted, exchanges
from counterpoise.curation.contrast.topics import Stance, Topic, topics

__all__ = ["Contrasted", "Stance", "Topic", "contrasted", "exchanges", "topics"]
