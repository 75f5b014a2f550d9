"""The running text of a PDF."""

import io
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from counterpoise.errors import DataError, MissingExtraError

__all__ = ["MAX_CHARACTERS", "clean_pages", "read_pdf"]

MAX_CHARACTERS = 10_000_000
"""Of one document; what unpacks to more is refused."""

_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\u00ad": None, "\u00a0": " "}
)
_DIVIDED = re.compile(r"(?<=[a-z])[-‐]\n(?=[a-z])")
_DIGITS = re.compile(r"\d+")
_EDGE_LINES = 2
_MIN_PAGES = 3


def read_pdf(data: bytes, name: str) -> str:
    """The cleaned text of all pages of a PDF; see :func:`clean_pages`.

    Args:
        data: the file.
        name: of the document, for messages.

    Raises:
        DataError: it is encrypted, damaged, too long, or has no text.
        MissingExtraError: pypdf is not installed.
    """
    try:
        import pypdf
    except ImportError:
        raise MissingExtraError("pypdf", extra="curate", purpose="reading PDF") from None

    with _quiet():
        try:
            reader = pypdf.PdfReader(io.BytesIO(data))
            # Many a file is encrypted with the empty password, only to forbid printing.
            if reader.is_encrypted and not reader.decrypt(""):
                raise DataError("PDF is encrypted", where=name, fix="save a copy without a password")
            pages: list[str] = []
            room = MAX_CHARACTERS
            for page in reader.pages:
                # Odd fonts give lone surrogates, which no file can hold.
                pages.append(page.extract_text().encode("utf-8", "replace").decode())
                room -= len(pages[-1])
                if room < 0:
                    raise DataError("PDF is too long", where=name, expected=f"at most {MAX_CHARACTERS:,} characters")
        except DataError:
            raise
        except pypdf.errors.DependencyError as error:
            raise DataError("PDF is encrypted", where=name, fix="save a copy without a password") from error
        # Damaged and hostile files fail in many ways inside the library.
        except Exception as error:
            raise DataError(f"cannot read PDF: {error or type(error).__name__}", where=name) from error
    if not "".join(pages).strip():
        raise DataError("PDF has no text", where=name, fix="a scanned document needs character recognition first")
    return clean_pages(pages)


def clean_pages(pages: Sequence[str]) -> str:
    r"""Pages joined into one line of text.

    Ligatures are spelled out, words divided at the end of a line are joined, page numbers are dropped. So are running
    heads and feet: lines among the first or last two of a page that occur, but for their digits, at the edge of at
    least three pages and of a third of all.

    >>> clean_pages(["Handbook\nSafe eﬃcient detec-\ntion.\n1", "Handbook\nMore.\n2", "Handbook\nThe end.\n3"])
    'Safe efficient detection. More. The end.'
    """
    lines = [[line.strip() for line in page.translate(_LIGATURES).splitlines() if line.strip()] for page in pages]
    counts = Counter(key for page in lines for key in {_shape(line) for line in _edges(page)})
    running = {key for key, count in counts.items() if count >= max(_MIN_PAGES, len(pages) / 3)}
    kept = []
    for page in lines:
        edge = len(page) - _EDGE_LINES
        kept += [
            line
            for index, line in enumerate(page)
            if not line.isdigit() and not ((index < _EDGE_LINES or index >= edge) and _shape(line) in running)
        ]
    return " ".join(_DIVIDED.sub("", "\n".join(kept)).split())


def _edges(page: list[str]) -> list[str]:
    return page[:_EDGE_LINES] + page[-_EDGE_LINES:]


def _shape(line: str) -> str:
    return _DIGITS.sub("#", line)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's remarks about odd files off the terminal."""
    logger = logging.getLogger("pypdf")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
