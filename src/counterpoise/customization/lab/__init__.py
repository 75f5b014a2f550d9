"""The lab: what a plan takes, everything that would stop it, and running it."""

from counterpoise.customization.lab.run import CellRow, Diagnose, LabRow, Progress, run_lab

__all__ = ["CellRow", "Diagnose", "LabRow", "Progress", "run_lab"]
