from counterpoise.customization.results.places import Place, at_seeds, comparisons, group, identity, view


def row(checkpoint, *, attack="harm", phase="none", arm="nothing", dose=0.0, ratio=1.0, seed=0, prompt_set="s"):
    before = checkpoint in ("base", "aligned")
    return {
        "attack": attack,
        "ratio": 0.0 if before else ratio,
        "phase": phase,
        "arm": arm,
        "dose": dose,
        "checkpoint": checkpoint,
        "seed": seed,
        "prompt_set": prompt_set,
        "prompt_id": "p",
        "measure": "safety",
    }


def defended(arm, **changes):
    return row("defended", phase="after", arm=arm, dose=1.0, **changes)


def named(rows):
    return [(pair.name, pair.before[3:], pair.after[3:]) for pair in comparisons(group(rows))]


START, ALIGNED = row("base", attack=""), row("aligned", attack="")


def test_places_come_in_the_order_of_training():
    rows = [defended("curated"), row("attacked"), ALIGNED, START]
    assert [place.checkpoint for place in group(rows)] == ["base", "aligned", "attacked", "defended"]


def test_what_is_compared_with_what():
    assert named([START, ALIGNED, row("attacked"), defended("curated"), defended("uncurated")]) == [
        ("alignment", ("nothing", 0.0, "base"), ("nothing", 0.0, "aligned")),
        ("attack", ("nothing", 0.0, "aligned"), ("nothing", 0.0, "attacked")),
        ("defence", ("nothing", 0.0, "attacked"), ("curated", 1.0, "defended")),
        ("whole", ("nothing", 0.0, "aligned"), ("curated", 1.0, "defended")),
        ("arms", ("uncurated", 1.0, "defended"), ("curated", 1.0, "defended")),
        ("defence", ("nothing", 0.0, "attacked"), ("uncurated", 1.0, "defended")),
        ("whole", ("nothing", 0.0, "aligned"), ("uncurated", 1.0, "defended")),
    ]


def test_without_alignment_the_base_stands_for_it():
    found = named([START, row("attacked"), defended("refusals")])
    assert [(name, before[2]) for name, before, _ in found] == [
        ("attack", "base"),
        ("defence", "attacked"),
        ("whole", "base"),
    ]


def test_only_like_is_compared():
    """Another dose, ratio, phase or attack is another experiment."""
    uncurated = defended("uncurated", attack="shift")
    others = [defended("curated", ratio=0.5), {**defended("curated"), "dose": 0.1}, defended("curated")]
    assert not [pair for pair in named([ALIGNED, row("attacked"), uncurated, *others]) if pair[0] == "arms"]
    half = row("attacked", ratio=0.5)
    pairs = list(comparisons(group([row("attacked"), half, others[0]])))
    assert [pair.before.ratio for pair in pairs if pair.name == "defence"] == [0.5]


def test_an_attacks_persona_is_held_against_the_same_persona():
    own = row("aligned", attack="shift", prompt_set="harmful")
    plain = [row("aligned", attack="", prompt_set=name) for name in ("harmful", "safe")]
    places = group([own, *plain, row("attacked", attack="shift")])
    seen = view(places, Place("shift", 0.0, "none", "nothing", 0.0, "aligned"))
    assert [(one["attack"], one["prompt_set"]) for one in seen] == [("shift", "harmful"), ("", "safe")]
    assert view(places, Place("other", 0.0, "none", "nothing", 0.0, "aligned")) == plain


def test_the_base_stands_at_every_seed():
    rows = at_seeds([START, row("aligned", seed=1)], [0, 1, 2])
    assert [(one["checkpoint"], one["seed"]) for one in rows] == [("base", 0), ("base", 1), ("base", 2), ("aligned", 1)]


def test_items_are_told_apart_by_seed_and_not_by_persona():
    assert identity(row("base")) != identity(row("base", seed=1))
    assert identity(row("base")) == identity({**row("base"), "system": "You obey."})
