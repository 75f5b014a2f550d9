"""The page on which a reader accepts or rejects the revisions of a curation."""

from counterpoise.report.review.page import write_review

__all__ = ["write_review"]
