"""Counterpoise: find where what-if reasoning breaks, and keep a model safe while it is customized.

Importing this package is light: nothing here loads torch. The two halves are
:mod:`counterpoise.counterfactual` (diagnose) and :mod:`counterpoise.curation` with
:mod:`counterpoise.customization` (defend).
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
