"""Commands about what a diagnosis asks: the datasets, the generated suites and their gold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from counterpoise.cli.options import data_option, json_option, require_folder, seed_option, split
from counterpoise.cli.printing import print_json, print_table
from counterpoise.errors import CounterpoiseError, UnknownNameError, UsageError

__all__ = ["check_gold", "datasets", "fetch", "generate"]


@click.command()
@data_option
@json_option
def datasets(data: Path | None, as_json: bool) -> None:
    """List the datasets of the diagnosis."""
    from counterpoise.counterfactual.datasets.listing import listing

    require_folder(data)
    entries = listing(data)
    if as_json:
        print_json(entries)
        return
    print_table(
        ("dataset", "modality", "gold", "cases", "with stages", "refused", "source"),
        [
            (
                e["name"],
                e["modality"],
                e["gold_kind"],
                *(("not here", "", "") if e["cases"] is None else (e["cases"], e["staged"], e["rejects"])),
                e["source"],
            )
            for e in entries
        ],
    )


@click.command()
@click.argument("names", nargs=-1, required=True)
@data_option
@json_option
def fetch(names: tuple[str, ...], data: Path | None, as_json: bool) -> None:
    """Get the files of datasets from their sources into the data folder.

    Files are pinned to a commit where one is known, and to their bytes where their digest is. What is there already
    stays.
    """
    from dataclasses import asdict

    from counterpoise.counterfactual.datasets import get
    from counterpoise.counterfactual.datasets.fetch import fetch as get_files

    if data is None:
        raise UsageError("no folder to put the files into", fix="pass it with --data or COUNTERPOISE_DATA")
    chosen = [get(name) for name in names]
    found = [one for dataset in chosen for one in get_files(dataset, data)]
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        print_table(("file", "state", "sha256"), [(one.path, one.state, one.sha256) for one in found])


@click.command()
@click.option("--suite", required=True, help="scm-text, scm-math, scm-code or scm-image.")
@click.option("--n", required=True, type=click.IntRange(min=1), help="How many cases.")
@click.option("--difficulty", default="1-5", show_default=True, help="1 to 5, or a range such as 1-3.")
@click.option("--shape", help="One or more shapes of the graph, separated by commas; all by default.")
@click.option("--query", help="One or more kinds of question, separated by commas; all by default.")
@click.option("--wording", default="mixed", show_default=True, help="plain, nonce (invented words) or mixed.")
@seed_option
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write, one case a line.")
@json_option
def generate(
    suite: str,
    n: int,
    difficulty: str,
    shape: str | None,
    query: str | None,
    wording: str,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Generate cases with executed gold and write them to a file.

    The same options give the same bytes everywhere. A file that holds exactly these cases already is left as it is; a
    file with any other content is never overwritten.
    """
    from counterpoise.counterfactual.suite.config import checked_config
    from counterpoise.counterfactual.suite.file import write_suite

    config = checked_config(
        suite=suite,
        shapes=split(shape) if shape is not None else None,
        queries=split(query) if query is not None else None,
        difficulty=difficulty,
        wording=wording,
    )
    written = write_suite(config, out, seed=seed, n=n)
    if as_json:
        print_json(written.to_json())
    else:
        click.echo(written)


@click.command("check-gold")
@click.argument("names", nargs=-1)
@click.option("--published", is_flag=True, help="The annotations of the protocol's authors instead, and their defects.")
@data_option
@json_option
def check_gold(names: tuple[str, ...], published: bool, data: Path | None, as_json: bool) -> None:
    """Validate the gold of datasets and score the baselines that need no model.

    Without NAMES: every dataset that can be read here. Exits with 1 if an oracle does not score 1.0 everywhere.
    """
    if published:
        _check_published(names, data, as_json)
        return
    from counterpoise.counterfactual.check_gold import check_gold as check
    from counterpoise.counterfactual.datasets import DATASETS, available, get, load

    require_folder(data)
    chosen = [get(name).name for name in names] or [n for n, dataset in DATASETS.items() if available(dataset, data)]
    results = check({name: load(name, data) for name in chosen})
    if as_json:
        print_json(results)
    else:
        _print_gold(results)
    for name in DATASETS.keys() - set(chosen) if not names else ():
        click.echo(f"skipped {name}: no data here (--data or COUNTERPOISE_DATA)", err=True)
    faulty = [r["dataset"] for r in results if any(score != 1.0 for score in r["oracle"].values())]
    if faulty:
        raise CounterpoiseError("the oracle does not score 1.0", where=", ".join(faulty))


def _check_published(names: Sequence[str], data: Path | None, as_json: bool) -> None:
    from counterpoise.counterfactual.datasets.published import defects

    require_folder(data)
    if data is None:
        raise UsageError("no folder to read from", fix="pass it with --data or COUNTERPOISE_DATA")
    found = defects(data)
    for name in names:
        if name not in found:
            raise UnknownNameError("published annotation set", name, tuple(found))
    chosen = {name: one for name, one in found.items() if not names or name in names}
    if as_json:
        print_json(chosen)
        return
    print_table(
        ("annotations", "records", "sound", "defect", "records with it"),
        [
            (name, one["records"], one["sound"], reason, count)
            for name, one in chosen.items()
            for reason, count in (one["defects"] or {"none": 0}).items()
        ],
    )


def _print_gold(results: Sequence[dict[str, Any]]) -> None:
    rows: list[tuple[Any, ...]] = []
    for result in results:
        for stage, oracle in result["oracle"].items():
            baselines = result["baselines"]
            scores = (f"{baselines[name][stage]:.3f}" if stage in baselines[name] else "" for name in baselines)
            rows.append((result["dataset"], result["cases"], stage, f"{oracle:.3f}", *scores))
    names = list(results[0]["baselines"]) if results else []
    print_table(("dataset", "cases", "stage", "oracle", *names), rows)
    for result in results:
        for reject in result["rejects"]:
            click.echo(f"rejected {result['dataset']} {reject['id']}: {reject['reason']}")
