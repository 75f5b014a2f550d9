"""Texts to curate, of any common file format and shape.

The way of a text: :mod:`~counterpoise.curation.inputs.reading` checks bytes,
:mod:`~counterpoise.curation.inputs.formats` and :mod:`~counterpoise.curation.inputs.hub` make records of them,
:mod:`~counterpoise.curation.inputs.detection` finds out which of the :mod:`~counterpoise.curation.inputs.shapes` the
records have, and :mod:`~counterpoise.curation.inputs.survey` says what is wrong with each text. Everything is streamed.
"""

from counterpoise.curation.inputs.detection import fields_from
from counterpoise.curation.inputs.formats import FORMATS
from counterpoise.curation.inputs.opening import Texts, open_texts, read_texts
from counterpoise.curation.inputs.report import InputReport
from counterpoise.curation.inputs.shapes import FIELDS, SHAPES, Shape

__all__ = ["FIELDS", "FORMATS", "SHAPES", "InputReport", "Shape", "Texts", "fields_from", "open_texts", "read_texts"]
