import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from counterpoise.report.visible import clip, one_line, visible

ANY_TEXT = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=60)


@given(ANY_TEXT)
def test_everything_can_be_encoded_and_nothing_invisible_is_left(text):
    shown = visible(text)
    shown.encode("utf-8")
    left = {c for c in shown if unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp")}
    assert left <= set("\n\t\u200c\u200d")


@given(ANY_TEXT)
def test_making_visible_twice_changes_nothing(text):
    assert visible(visible(text)) == visible(text)


def test_ordinary_text_of_many_scripts_is_unchanged():
    for text in ("plain\n\ttext", "naïve – “quoted”", "日本語", "עברית", "हिन्दी", "🙂 👩‍🔬", "e\u0301"):
        assert visible(text) == text


def test_what_reorders_or_hides_is_written_out():
    assert visible("a\u202eb\u2066c\u200bd\ufeffe\u00ad") == "a⟨U+202E⟩b⟨U+2066⟩c⟨U+200B⟩d⟨U+FEFF⟩e⟨U+00AD⟩"
    assert visible("\r\nx\ry\u2028z") == "\nx⟨U+000D⟩y⟨U+2028⟩z"


def test_stacked_marks_are_written_out_after_the_fourth():
    assert visible("a" + "\u0301" * 6) == "a" + "\u0301" * 4 + "⟨U+0301⟩" * 2


def test_a_cut_says_how_much_is_hidden():
    assert clip("x" * 10_000, 4000) == ("x" * 4000, 6000)
    assert clip("short", 4000) == ("short", 0)


def test_one_line_has_no_line_break_and_keeps_its_limit():
    assert one_line("a\n\n b\tc") == "a b c"
    assert one_line("x" * 10_000_000, 20) == "x" * 19 + "…"
    assert one_line(" " * 1000 + "x", 20).endswith("…")
