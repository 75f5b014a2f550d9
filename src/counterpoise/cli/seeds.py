"""Commands about seed sets: the safety keywords that revisions take up."""

from collections import Counter
from pathlib import Path

import click

from counterpoise.cli.options import json_option, out_option
from counterpoise.cli.printing import print_json, print_table
from counterpoise.progress import Progress

__all__ = ["seeds"]

EMBEDDER = "embedded/minilm"
MAX_SHOWN = 10
"""Of a list on the terminal; the JSON has all."""


@click.group()
def seeds() -> None:
    """The safety keywords that revisions take up; a set is "builtin" or a file."""


@seeds.command("list")
@click.argument("name", metavar="[SET]", default="builtin")
@click.option("--category", help="This category alone.")
@json_option
def seeds_list(name: str, category: str | None, as_json: bool) -> None:
    """List the keywords of a set, by default of the built-in one."""
    from counterpoise.curation.seeds.seed import open_seeds
    from counterpoise.errors import UnknownNameError

    chosen = open_seeds(name)
    if category is not None:
        known = {seed.category for seed in chosen}
        if category not in known:
            raise UnknownNameError("category", category, known)
        chosen = tuple(seed for seed in chosen if seed.category == category)
    if as_json:
        print_json([seed.model_dump(mode="json", exclude_none=True) for seed in chosen])
        return
    print_table(("keyword", "category", "gloss"), [(seed.keyword, seed.category, seed.gloss) for seed in chosen])
    click.echo(f"{len(chosen)} keywords in {len({seed.category for seed in chosen})} categories")


@seeds.command("show")
@click.argument("keyword")
@click.option("--seeds", "name", default="builtin", show_default=True, help="The set: builtin, or a file.")
@click.option("--n", default=5, show_default=True, type=click.IntRange(min=0), help="How many near keywords.")
@json_option
def seeds_show(keyword: str, name: str, n: int, as_json: bool) -> None:
    """Show a keyword with its gloss, where it comes from, and the keywords nearest to it."""
    from counterpoise.curation.seeds.compare import find_seed, nearest
    from counterpoise.curation.seeds.seed import open_seeds
    from counterpoise.lm.embedding import open_embedder

    known = open_seeds(name)
    seed = find_seed(known, keyword)
    near = nearest(known, seed, open_embedder(EMBEDDER), n)
    shown = seed.model_dump(mode="json", exclude_none=True)
    if as_json:
        print_json({**shown, "nearest": [{"keyword": one.keyword, "similarity": value} for one, value in near]})
        return
    provenance = shown.pop("provenance", {})
    rows = [*shown.items(), *((field.replace("_", " "), _joined(value)) for field, value in provenance.items())]
    print_table(("keyword", seed.keyword), [row for row in rows[1:] if row[1] != ""])
    click.echo("")
    print_table(("nearest", "similarity", "category"), [(one.keyword, f"{v:.2f}", one.category) for one, v in near])


@seeds.command("diff")
@click.argument("old")
@click.argument("new")
@json_option
def seeds_diff(old: str, new: str, as_json: bool) -> None:
    """Compare two sets: what is added, removed and changed, and near-duplicates across them."""
    from counterpoise.curation.seeds.compare import difference
    from counterpoise.curation.seeds.seed import open_seeds
    from counterpoise.lm.embedding import open_embedder

    found = difference(open_seeds(old), open_seeds(new), open_embedder(EMBEDDER))
    if as_json:
        print_json(found.to_json())
        return
    rows = [("added", seed.keyword, seed.category) for seed in found.added]
    rows += [("removed", seed.keyword, seed.category) for seed in found.removed]
    rows += [("changed", one.keyword, f"{one.field}: {one.old!r} became {one.new!r}") for one in found.changed]
    rows += [("near", pair.new, f"{pair.old}, similarity {pair.similarity:.2f}") for pair in found.near]
    if rows:
        print_table(("", "keyword", "detail"), rows)
    click.echo(
        f"{found.kept} kept, {len(found.added)} added, {len(found.removed)} removed, "
        f"{len(found.changed)} field(s) changed, {len(found.near)} near-duplicate(s)"
    )


@seeds.command("build")
@click.argument("documents", nargs=-1, required=True, type=click.Path(path_type=Path))
@out_option("File to write, one keyword a line.")
@click.option("--base", default="builtin", show_default=True, help="The set to add to: builtin, none, or a file.")
@click.option("--min-relevance", default=0.15, show_default=True, help="Bound of a keyword's safety relevance.")
@click.option("--min-count", default=2, show_default=True, help="How often it stands by itself in the documents.")
@click.option("--per-document", default=100, show_default=True, help="Keyphrases looked at in each document.")
@click.option("--max", "max_new", type=int, help="Keywords added, at most; all by default.")
@click.option("--gloss-model", help="Let this model write the glosses that the documents do not hold.")
@json_option
def seeds_build(
    documents: tuple[Path, ...],
    out: Path,
    base: str,
    min_relevance: float,
    min_count: int,
    per_document: int,
    max_new: int | None,
    gloss_model: str | None,
    as_json: bool,
) -> None:
    """Extract safety keywords from documents (PDF, Markdown, text, or folders of them) and add them to a set.

    The same documents and options give the same bytes. A file that holds exactly this set already is left as it is; a
    file with any other content is never overwritten.
    """
    from counterpoise.curation.seeds.build import BuildConfig, build_seeds
    from counterpoise.curation.seeds.seed import check_out, open_seeds, write_seeds
    from counterpoise.lm.embedding import open_embedder
    from counterpoise.lm.names import open_model

    check_out(out)
    config = BuildConfig(min_relevance=min_relevance, min_count=min_count, per_document=per_document, max_new=max_new)
    known = () if base == "none" else open_seeds(base)
    lm = None if gloss_model is None else open_model(gloss_model)
    with Progress() as progress:
        built = build_seeds(documents, open_embedder(EMBEDDER), config, base=known, gloss_model=lm, progress=progress)
    changed = write_seeds(built.seeds, out)
    problems = [one.problem for one in built.documents if one.problem]
    for problem in problems[:MAX_SHOWN]:
        click.echo(f"not used: {problem}", err=True)
    if len(problems) > MAX_SHOWN:
        click.echo(f"not used: {len(problems) - MAX_SHOWN} more documents", err=True)
    if as_json:
        print_json({"out": str(out), "changed": changed, **built.to_json()})
        return
    counts = Counter(one.reason for one in built.dropped)
    print_table(
        ("", "number"),
        [
            ("documents used", f"{len(built.documents) - len(problems)} of {len(built.documents)}"),
            ("phrases found", len(built.added) + len(built.dropped)),
            *((f"dropped: {reason}", count) for reason, count in counts.items()),
            ("added", len(built.added)),
            ("with a gloss", sum(bool(seed.gloss) for seed in built.added)),
        ],
    )
    click.echo(f"{'wrote' if changed else 'unchanged:'} {len(built.seeds)} keywords in {out}")


def _joined(value: object) -> str:
    if not isinstance(value, list):
        return str(value)
    more = f" and {len(value) - MAX_SHOWN} more" if len(value) > MAX_SHOWN else ""
    return ", ".join(map(str, value[:MAX_SHOWN])) + more
