import yaml
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.curation.export import FILES, Numbers, dataset_card, moved
from counterpoise.curation.export.card import plain

FORMS = ["messages", "prompt-completion", "parquet"]


def card_of(rows, manifest, **options) -> str:
    numbers = Numbers(manifest.config["objective"])
    for row in rows:
        numbers.add(row, "no candidate passed" if row["revised"] is None else None)
    return dataset_card(numbers, manifest, FORMS, **options)


def front_matter(card: str) -> dict:
    _, matter, _ = card.split("---\n", 2)
    return yaml.safe_load(matter)


def test_numbers(row, manifest) -> None:
    befores = [10.0, 20.0, 30.0, 40.0, 50.0, None]
    rows = [row(f"t{index}", before=before, after=60.0 - 4 * index) for index, before in enumerate(befores)]
    rows[0]["keywords"] = ["privacy", "consent"]
    rows += [row("x", revised=None), row("y", revised=None)]
    card = card_of(rows, manifest(config=manifest().config | {"seed_count": 500}))
    assert "6 of 8 question–answer texts" in card
    assert "| perplexity before | 5 | 20 | 30 | 40 |" in card
    assert "| perplexity after | 6 | 45 | 50 | 55 |" in card
    # 60/10, 56/20, 52/30, 48/40, 44/50.
    assert "| after ÷ before, text by text | 5 | 1.2 | 1.73 | 2.8 |" in card
    assert "| helpfulness | 6 | 0.9 | 0.9 | 0.9 |" in card
    assert "| helpfulness: clarity | 6 | 1 | 1 | 1 |" in card
    assert "perplexity raised: 4 of 5, 0.800 [" in card
    assert "different keywords: 2 of the seed set's 500, each in 1 to 6 text(s)" in card
    assert "for all 8 texts: 160 read, 80 written" in card
    assert "- 2: no candidate passed" in card
    assert "| keyword | 24 |\n| length | 8 |" in card


def test_a_set_of_nothing(row, manifest) -> None:
    card = card_of([row(revised=None)], manifest())
    assert "0 of 1" in card
    assert "perplexity raised: 0 of 0\n" in card
    assert front_matter(card)["size_categories"] == ["n<1K"]


def test_an_undefined_perplexity_is_not_a_pair(row, manifest) -> None:
    card = card_of([row(before=None), row("b")], manifest())
    assert "| perplexity before | 1 |" in card
    assert "| after ÷ before, text by text | 1 |" in card


def test_moved_follows_the_objective(row) -> None:
    rows = [row(before=10.0, after=30.0), row(before=20.0, after=15.0), row(before=None), row(before=1.0, after=1.0)]
    assert [moved(rows, objective) for objective in ("max", "min", "random")] == [1, 1, 1]


def test_min_says_lowered(row, manifest) -> None:
    settings = manifest(config=manifest().config | {"objective": "min"})
    assert "perplexity lowered: 0 of 1" in card_of([row()], settings)


def test_what_others_wrote_is_no_markup(row, manifest) -> None:
    hostile = "<script>`|[x](javascript:1)\n# \u202e\u200b"
    one = row("a", criteria={hostile: 1.0}, keywords=[hostile])
    one["rounds"][0]["rejected"] = {hostile: 1}
    config = manifest().config | {key: {"name": hostile, "revision": hostile} for key in ("reviser", "target", "judge")}
    card = card_of([one], manifest(config=config, warnings=[hostile], run=hostile))
    assert "<script" not in card
    assert "\u202e" not in card
    assert "](" not in card
    assert "\n# \n" not in card
    assert card.count("\n# ") == 1


@given(st.text())
def test_plain_text_stays_in_its_cell(text: str) -> None:
    assert not set(plain(text)) & set("`|<>[]\n\r\u2028\u2029\u202e\x1b")
    assert plain(plain(text)) == plain(text)


def test_front_matter_is_what_the_hub_reads(row, manifest) -> None:
    from huggingface_hub import DatasetCard

    card = card_of([row()], manifest(), originals=True)
    data = DatasetCard(card).data.to_dict()
    assert data == front_matter(card)
    assert data["license"] == "unknown"
    assert [config["config_name"] for config in data["configs"]] == [
        *("messages", "prompt-completion", "uncurated-messages", "uncurated-prompt-completion")
    ]
    assert [config for config in data["configs"] if config.get("default")] == data["configs"][:1]


def test_sizes(manifest) -> None:
    sizes = []
    for size in (0, 999, 1_000, 10_000, 999_999, 1_000_000):
        numbers = Numbers("max")
        numbers.exported = size
        sizes += front_matter(dataset_card(numbers, manifest(), FORMS))["size_categories"]
    assert sizes == ["n<1K", "n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M"]


def test_every_form_has_its_line_in_the_card(manifest) -> None:
    card = dataset_card(Numbers("max"), manifest(), list(FILES), originals=True)
    assert all(f"| `{name}` |" in card and f"| `un{name}` |" in card for name in FILES.values())


def test_the_code_of_the_card_is_python(row, manifest) -> None:
    compile(card_of([row()], manifest()).split("```python\n")[1].split("```")[0], "card", "exec")
