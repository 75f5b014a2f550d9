"""Bytes of a text file: unpacked, checked and decoded as they are read, so that no file is ever held as a whole."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from counterpoise.errors import DataError

__all__ = ["Feed", "lines", "opened", "require_file"]

_GZIP = b"\x1f\x8b"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF_8 = codecs.getincrementaldecoder("utf-8")


def require_file(path: Path) -> None:
    """See to it that the path is a file: something that can be read again and again.

    Raises:
        DataError: there is nothing, or something else.
    """
    if path.is_dir():
        raise DataError("a folder, not a file", where=str(path), fix=f"a folder with a dataset is named hf:{path}")
    if not path.is_file():
        reason = "not a regular file" if path.exists() else "no such file"
        raise DataError(f"cannot read file: {reason}", where=str(path))


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file after its byte order mark, if it has one; unpacked where they are gzip, whatever its name is.

    Raises:
        DataError: there is no such file, it is UTF-16, it cannot be read, or its compression is damaged.
    """
    require_file(path)
    packed = False
    try:
        with path.open("rb") as plain:
            packed = plain.read(len(_GZIP)) == _GZIP
            plain.seek(0)
            with gzip.GzipFile(fileobj=plain) if packed else plain as file:
                _skip_mark(file, path)  # type: ignore[arg-type]  # A GzipFile does all that is asked of it here.
                yield file  # type: ignore[misc]
    except (EOFError, OSError, zlib.error) as error:
        if packed:
            raise DataError("damaged gzip file", where=str(path), fix="it may be cut off; get it again") from error
        raise DataError(f"cannot read file: {getattr(error, 'strerror', None) or error}", where=str(path)) from error


def _skip_mark(file: IO[bytes], path: Path) -> None:
    begin = file.read(len(codecs.BOM_UTF8))
    if begin.startswith(_UTF_16):
        raise DataError("file is UTF-16, not UTF-8 text", where=f"{path} line 1", fix="re-encode it as UTF-8")
    if begin != codecs.BOM_UTF8:
        file.seek(0)


def lines(path: Path) -> Iterator[tuple[int, str]]:
    r"""The lines of a UTF-8 file with their numbers from 1, each with its line end; only ``\n`` ends a line.

    Raises:
        DataError: as :func:`opened`; or the file is not UTF-8, or has a NUL byte; names the line.
    """
    with opened(path) as file:
        for number, data in enumerate(file, start=1):
            yield number, _decoded(data, f"{path} line {number}", _UTF_8(), final=True)


class Feed:
    """A UTF-8 file as the parser of a stream reads it: in pieces that never go beyond a line.

    So ``line``, the number of the line that was read last, is where the parser stands when it finds fault. ``blank``
    says that nothing but white space was read.

    Args:
        file: from :func:`opened`.
        path: its name, for messages.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self.line = 1
        self.blank = True
        self._file = file
        self._path = path
        self._decoder = _UTF_8()
        self._ended = False

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; none at the end.

        Raises:
            DataError: the file is not UTF-8, or has a NUL byte; names the line.
        """
        data = self._file.readline(size)
        if data:
            self.line += self._ended
            self._ended = data.endswith(b"\n")
            self.blank = self.blank and not data.strip()
        _decoded(data, f"{self._path} line {self.line}", self._decoder, final=bool(size) and not data)
        return data


def _decoded(data: bytes, where: str, decoder: codecs.IncrementalDecoder, *, final: bool) -> str:
    try:
        text = decoder.decode(data, final=final)
    except UnicodeDecodeError as error:
        raise DataError("file is not UTF-8 text", where=where, fix="re-encode it as UTF-8") from error
    if "\0" in text:
        raise DataError("a NUL byte", where=where, expected="UTF-8 text")
    return text
