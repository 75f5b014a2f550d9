import sys

import pytest

from counterpoise.curation.seeds import documents
from counterpoise.curation.seeds.documents import Document, find_documents, read_document
from counterpoise.errors import DataError, MissingExtraError


def read(path):
    return read_document(Document(path.name, path))


def test_folders_are_searched_at_any_depth(shelf):
    (shelf / ".hidden").mkdir()
    for name in (".hidden/a.md", ".notes.txt", "table.csv", "more/LOUD.TXT"):
        (shelf / name).write_text("Words.")
    found = find_documents([shelf, shelf / "handbook.md"])
    assert [one.name for one in found] == ["handbook.md", "more/LOUD.TXT", "more/guide.txt"]
    assert [one.name for one in find_documents([shelf / "more" / "guide.txt"])] == ["guide.txt"]


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(DataError, match=r"no such file or folder \(.*nowhere\)"):
        find_documents([tmp_path / "nowhere"])
    with pytest.raises(DataError, match=r"no documents \(.*\); expected files ending in .markdown, .md, .pdf"):
        find_documents([tmp_path])


def test_a_name_cannot_break_a_line_or_a_file(tmp_path):
    (tmp_path / "a\nb\x1b[31m.txt").write_text("Words.")
    (tmp_path / "raw\udcff.txt").write_text("Words.")
    names = [one.name for one in find_documents([tmp_path])]
    assert names == ["a?b?[31m.txt", "raw?.txt"]


def test_markdown_loses_its_markup(tmp_path):
    path = tmp_path / "notes.md"
    path.write_text(
        "---\ntitle: hidden\n---\n# A *loud* head\n\nSee [the guide](http://hidden.example)\nfor <b>more</b>, `hidden`."
        "\n\n```\nhidden code\n```\n\n<div>hidden</div>\n\n| one | two |\n|---|---|\n| three | four |\n\n- an item\n"
    )
    assert read(path) == ["A loud head", "See the guide for more, .", "one", "two", "three", "four", "an item"]


def test_text_is_cut_into_paragraphs(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes("\ufeffOne\r\nline.\r\n\r\n  \r\nAnother.\r\n".encode())
    assert read(path) == ["One line.", "Another."]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.txt", b"", "document has no text (empty.txt)"),
        ("blank.md", b"\n \n", "document has no text (blank.md)"),
        ("code.md", b"```\nx = 1\n```\n", "document has no text (code.md)"),
        ("old.txt", "Vorsicht, heiß".encode("latin-1"), "document is not UTF-8 text (old.txt); re-encode it as UTF-8"),
        ("wide.txt", "careful".encode("utf-16"), "document is binary, not text (wide.txt)"),
        ("letter.docx", b"PK", "unknown kind of document (letter.docx); expected one of .markdown, .md, .pdf"),
        ("empty.pdf", b"", "cannot read PDF: Cannot read an empty file (empty.pdf)"),
        ("fake.pdf", b"no such thing", "cannot read PDF: "),
        ("torn.pdf", b"%PDF-1.7\n1 0 obj\n<< /Type", "cannot read PDF: "),
    ],
)
def test_what_cannot_be_read_is_one_line_with_its_name(tmp_path, capfd, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(tmp_path / name)
    assert str(caught.value).startswith(message)
    assert f"({name})" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_large_file_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MAX_BYTES", 10)
    (tmp_path / "long.txt").write_text("More than ten bytes.")
    with pytest.raises(DataError, match=r"document has 20 bytes \(long.txt\); expected at most 10"):
        read(tmp_path / "long.txt")


def test_a_folder_in_a_files_place(tmp_path):
    (tmp_path / "odd.txt").mkdir()
    with pytest.raises(DataError, match=r"cannot read file: Is a directory \(odd.txt\)"):
        read(tmp_path / "odd.txt")


@pytest.mark.parametrize(
    ("module", "name", "package"), [("markdown_it", "a.md", "markdown-it-py"), ("pypdf", "a.pdf", "pypdf")]
)
def test_a_missing_library_is_named(tmp_path, monkeypatch, module, name, package):
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).write_text("Words.")
    with pytest.raises(MissingExtraError, match=rf"'{package}'; install it with: pip install 'counterpoise\[curate\]'"):
        read(tmp_path / name)
