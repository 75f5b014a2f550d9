"""Judges: what a completion does with a request, and how far each judge agrees with people."""

from counterpoise.safety.judges.agreement import (
    Agreement,
    ClassAgreement,
    Labelled,
    agreement_of,
    calibrate,
    known_agreement,
)
from counterpoise.safety.judges.judgement import LABELS, Judge, Judgement, Label
from counterpoise.safety.judges.registry import open_judge

__all__ = [
    "LABELS",
    "Agreement",
    "ClassAgreement",
    "Judge",
    "Judgement",
    "Label",
    "Labelled",
    "agreement_of",
    "calibrate",
    "known_agreement",
    "open_judge",
]
