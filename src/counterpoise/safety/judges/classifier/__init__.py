"""The classifier of refusals and of coherence that comes with the package."""

from counterpoise.safety.judges.classifier.judge import CLASSIFIER, ClassifierJudge, open_classifier

__all__ = ["CLASSIFIER", "ClassifierJudge", "open_classifier"]
