import io
import logging

import pypdf
import pytest

from counterpoise.curation.seeds import pdf
from counterpoise.curation.seeds.pdf import clean_pages, read_pdf
from counterpoise.errors import DataError


def encrypted(data: bytes, user: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt(user_password=user, owner_password="owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_the_text_of_every_page(make_pdf):
    assert read_pdf(make_pdf([["Test the alarm", "every month."], ["Keep exits clear."]]), "a.pdf") == (
        "Test the alarm every month. Keep exits clear."
    )


def test_two_hundred_pages(make_pdf):
    pages = [
        ["Handbook 2024", "2nd edition", f"Rule {number} is to stay calm.", "For all", f"Page {number}"]
        for number in range(200)
    ]
    text = read_pdf(make_pdf(pages), "long.pdf")
    assert text.startswith("Rule 0 is to stay calm. Rule 1 is to stay calm.")
    assert text.count("calm") == 200
    assert "Handbook" not in text
    assert "Page" not in text


def test_encrypted_files(make_pdf):
    data = make_pdf([["A secret."]])
    with pytest.raises(DataError, match=r"PDF is encrypted \(a.pdf\); save a copy without a password"):
        read_pdf(encrypted(data, "user"), "a.pdf")
    assert read_pdf(encrypted(data, ""), "a.pdf") == "A secret."


def test_a_cipher_that_needs_another_library(make_pdf, monkeypatch):
    def decrypt(self, password):
        raise pypdf.errors.DependencyError("cryptography>=3.1 is required for AES algorithm")

    data = encrypted(make_pdf([["A secret."]]), "user")
    monkeypatch.setattr(pypdf.PdfReader, "decrypt", decrypt)
    with pytest.raises(DataError, match="PDF is encrypted"):
        read_pdf(data, "a.pdf")


def test_a_scan_has_no_text(make_pdf):
    with pytest.raises(DataError, match=r"PDF has no text \(scan.pdf\); a scanned document needs character recog"):
        read_pdf(make_pdf([[], []]), "scan.pdf")


def test_what_unpacks_to_too_much_is_refused(make_pdf, monkeypatch):
    monkeypatch.setattr(pdf, "MAX_CHARACTERS", 25)
    assert read_pdf(make_pdf([["Twenty letters, all."]]), "a.pdf") == "Twenty letters, all."
    with pytest.raises(DataError, match=r"PDF is too long \(a.pdf\); expected at most 25 characters"):
        read_pdf(make_pdf([["Twenty letters, all."], ["And one more."]]), "a.pdf")


def test_a_damaged_file_is_read_or_refused_in_one_line(make_pdf, capfd):
    data = make_pdf([["Keep exits clear."]])
    outcomes = []
    for cut in range(10, len(data), 20):
        try:
            outcomes.append(read_pdf(data[:cut] + data[cut + 30 :], "torn.pdf"))
        except DataError as error:
            outcomes.append(str(error))
    read = [one for one in outcomes if "(torn.pdf)" not in one]
    assert 0 < len(read) < len(outcomes)
    assert "Keep exits clear." in read
    assert not any("\n" in one for one in outcomes)
    assert capfd.readouterr() == ("", "")


def test_the_librarys_logger_is_left_as_it_was(make_pdf):
    logging.getLogger("pypdf").setLevel(logging.INFO)
    read_pdf(make_pdf([["Words."]]), "a.pdf")
    assert logging.getLogger("pypdf").level == logging.INFO
    logging.getLogger("pypdf").setLevel(logging.NOTSET)


def test_running_heads_go_and_repeated_sentences_stay():
    pages = [
        "Fire Safety 1\nCheck the alarm.\nKeep calm.\nThen go on.\nThe end of it.\nPage 1",
        "Fire Safety 2\nKeep exits free.\nKeep calm.\nThen come back.\nSit down.\nPage 2",
        "Fire Safety 3\nCall for help.\nKeep calm.\nThen wait.\nStand up.\nPage 3",
    ]
    text = clean_pages(pages)
    assert "Fire Safety" not in text
    assert "Page" not in text
    assert text.count("Keep calm.") == 3
    assert clean_pages(pages[:2]).count("Fire Safety") == 2


def test_words_are_made_whole():
    assert clean_pages(["The ofﬁce ﬂoor is safe-\nguarded.\nTake an X-\nRay of it."]) == (
        "The office floor is safeguarded. Take an X- Ray of it."
    )
    assert clean_pages(["One co\u00adoperates.\n42\nA word is divi-", "ded by a page."]) == (
        "One cooperates. A word is divided by a page."
    )
