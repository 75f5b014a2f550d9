"""Documents as plain text: PDF, Markdown and text files."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from counterpoise.curation.seeds.pdf import read_pdf
from counterpoise.errors import DataError, MissingExtraError

__all__ = ["KINDS", "MAX_BYTES", "Document", "find_documents", "read_document"]

MAX_BYTES = 50_000_000
"""Larger files are refused unread."""
KINDS = (".markdown", ".md", ".pdf", ".text", ".txt")
"""The endings of files that are read."""

_FRONT_MATTER = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)
_BLANK_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Document:
    """A file to be read.

    Attributes:
        name: how reports and seeds call it: the path below the folder it was found in, else the file's name.
        path: where it is.
    """

    name: str
    path: Path


def find_documents(paths: Sequence[Path]) -> list[Document]:
    """The files that are named and, of folders, all files of the kinds in :data:`KINDS` at any depth.

    Hidden files and folders are left out, and so is a file that was found already. Sorted by name.

    Raises:
        DataError: a path is not there, or nothing is found.
    """
    found: dict[Path, Document] = {}
    for path in paths:
        if not path.exists():
            raise DataError("no such file or folder", where=str(path))
        for document in _in_folder(path) if path.is_dir() else [Document(_printable(path.name), path)]:
            found.setdefault(document.path.resolve(), document)
    if not found:
        raise DataError(
            "no documents", where=", ".join(map(str, paths)), expected="files ending in " + ", ".join(KINDS)
        )
    return sorted(found.values(), key=lambda document: (document.name, str(document.path)))


def _in_folder(folder: Path) -> Iterator[Document]:
    for path in folder.rglob("*"):
        below = path.relative_to(folder)
        if path.suffix.lower() in KINDS and path.is_file() and not any(part.startswith(".") for part in below.parts):
            yield Document(_printable(below.as_posix()), path)


def _printable(name: str) -> str:
    """A file's name may hold line breaks, terminal codes, and bytes that are no text."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def read_document(document: Document) -> list[str]:
    """The paragraphs of a document, without markup; each is one line of text.

    Code, HTML and front matter of Markdown are left out, and so are the running heads of a PDF, which is one
    paragraph. Never empty.

    Raises:
        DataError: the file cannot be read, is too large, of an unknown kind, not UTF-8, encrypted, damaged or without
            text; names the document.
        MissingExtraError: the package that reads this kind is not installed.
    """
    kind = document.path.suffix.lower()
    if kind not in KINDS:
        raise DataError("unknown kind of document", where=document.name, expected="one of " + ", ".join(KINDS))
    try:
        data = _read(document)
    except OSError as error:
        raise DataError(f"cannot read file: {error.strerror or error}", where=document.name) from error
    if kind == ".pdf":
        paragraphs = [read_pdf(data, document.name)]
    else:
        text = _decoded(data, document.name)
        paragraphs = _markdown(text) if kind in (".md", ".markdown") else _BLANK_LINES.split(text)
    lines = [line for line in (" ".join(paragraph.split()) for paragraph in paragraphs) if line]
    if not lines:
        raise DataError("document has no text", where=document.name)
    return lines


def _read(document: Document) -> bytes:
    size = document.path.stat().st_size
    if size > MAX_BYTES:
        raise DataError(f"document has {size:,} bytes", where=document.name, expected=f"at most {MAX_BYTES:,}")
    return document.path.read_bytes()


def _decoded(data: bytes, name: str) -> str:
    if b"\0" in data:
        raise DataError("document is binary, not text", where=name)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise DataError("document is not UTF-8 text", where=name, fix="re-encode it as UTF-8") from error


def _markdown(text: str) -> list[str]:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        raise MissingExtraError("markdown-it-py", extra="curate", purpose="reading Markdown") from None

    blocks = MarkdownIt("commonmark").enable("table").parse(_FRONT_MATTER.sub("", text))
    return [
        "".join(
            " " if part.type in ("softbreak", "hardbreak") else part.content
            for part in block.children or ()
            if part.type in ("text", "softbreak", "hardbreak")
        )
        for block in blocks
        if block.type == "inline"
    ]
