"""Teaching when to decline: harms that are declined, beside what looks alike and is answered."""

from counterpoise.curation.contrast.exchanges import Exchange, exchanges
from counterpoise.curation.contrast.topics import Stance, Topic, topics

__all__ = ["Exchange", "Stance", "Topic", "exchanges", "topics"]
