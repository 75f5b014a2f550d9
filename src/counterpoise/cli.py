"""The command line: a thin layer that reads options, calls the package and prints what it returns.

Results go to standard output (``--json`` for machines), progress to standard error. Exit codes: 0 done, 1 the work
failed, 2 bad usage or configuration, 130 interrupted.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from counterpoise import __version__
from counterpoise.errors import CounterpoiseError, DataError, UnknownNameError, UsageError
from counterpoise.progress import Progress

__all__ = ["cli", "main"]

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
data_option = click.option(
    "--data",
    envvar="COUNTERPOISE_DATA",
    type=click.Path(path_type=Path),
    help="Folder of downloaded datasets (or set COUNTERPOISE_DATA).",
)
seed_option = click.option("--seed", default=0, show_default=True, help="Seed of every random choice.")


def out_option(help: str) -> Callable[[Command], Command]:
    """The ``--out`` option; every command that writes has one."""
    return click.option("--out", required=True, type=click.Path(path_type=Path), help=help)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="counterpoise")
def cli() -> None:
    """Find where a model's what-if reasoning breaks, and keep it safe while it is customized."""


@cli.command()
@click.option("--out", default="quickstart", show_default=True, type=click.Path(path_type=Path), help="Output folder.")
@json_option
def quickstart(out: Path, as_json: bool) -> None:
    """Diagnose, curate and defend the embedded model, and report on it, in about five minutes."""
    from counterpoise.quickstart import run_quickstart
    from counterpoise.report import terminal

    with Progress() as progress:
        result = run_quickstart(out, progress=progress)
    if as_json:
        _print_json(result.to_json())
    else:
        terminal.show(result.tables)
        for step, seconds in result.seconds.items():
            click.echo(f"{step}: {seconds:.0f} s")
        click.echo(f"report: {result.report}")


@cli.command()
@data_option
@json_option
def datasets(data: Path | None, as_json: bool) -> None:
    """List the datasets of the diagnosis."""
    from counterpoise.counterfactual.datasets.listing import listing

    _require_folder(data)
    entries = listing(data)
    if as_json:
        _print_json(entries)
        return
    _print_table(
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


@cli.command()
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
        _print_json([asdict(one) for one in found])
    else:
        _print_table(("file", "state", "sha256"), [(one.path, one.state, one.sha256) for one in found])


@cli.command()
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
        shapes=_split(shape) if shape is not None else None,
        queries=_split(query) if query is not None else None,
        difficulty=difficulty,
        wording=wording,
    )
    written = write_suite(config, out, seed=seed, n=n)
    if as_json:
        _print_json(written.to_json())
    else:
        click.echo(written)


@cli.command("check-gold")
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

    _require_folder(data)
    chosen = [get(name).name for name in names] or [n for n, dataset in DATASETS.items() if available(dataset, data)]
    results = check({name: load(name, data) for name in chosen})
    if as_json:
        _print_json(results)
    else:
        _print_gold(results)
    for name in DATASETS.keys() - set(chosen) if not names else ():
        click.echo(f"skipped {name}: no data here (--data or COUNTERPOISE_DATA)", err=True)
    faulty = [r["dataset"] for r in results if any(score != 1.0 for score in r["oracle"].values())]
    if faulty:
        raise CounterpoiseError("the oracle does not score 1.0", where=", ".join(faulty))


@cli.command()
@click.option("--model", required=True, help="embedded/smollm2, a model folder, or a name as Inspect writes it.")
@click.option("--dataset", required=True, help="One or more names, separated by commas.")
@click.option("--limit", type=click.IntRange(min=1), help="Cases per dataset; all by default.")
@click.option("--stage", "stages", help="One or more stages, separated by commas; all by default.")
@click.option(
    "--mode", "modes", default="isolated", show_default=True, help="isolated, chained, substitution; or several."
)
@click.option(
    "--elicit", "elicits", default="direct", show_default=True, help="direct, few-shot, cot, cot-sc, tot; or several."
)
@click.option("--tools", default="off", show_default=True, help="off, hints, calls, auto; or several.")
@click.option(
    "--extractor", "extractors", multiple=True, help="MODALITY=NAME, another tool: text=ner:FOLDER, image=FOLDER."
)
@click.option("--k", default=5, show_default=True, help="Samples of cot-sc, branches of tot.")
@click.option("--rating", default="model", show_default=True, help="What chooses branches of tot: model or similarity.")
@click.option("--matcher", help="Which names and values count as the same; the calibrated default otherwise.")
@click.option("--text-only-baseline", "text_only", is_flag=True, help="Ask about images without showing them.")
@seed_option
@data_option
@out_option("Run folder; the same command again resumes it.")
@json_option
def diagnose(
    model: str,
    dataset: str,
    limit: int | None,
    stages: str | None,
    modes: str,
    elicits: str,
    tools: str,
    extractors: tuple[str, ...],
    k: int,
    rating: str,
    matcher: str | None,
    text_only: bool,
    seed: int,
    data: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Measure a model's counterfactual reasoning, stage by stage.

    Names of datasets, stages, modes, elicitations and uses of tools may be several, separated by commas.
    """
    from counterpoise.counterfactual.diagnose import DiagnoseConfig, run_diagnosis
    from counterpoise.counterfactual.match.registry import DEFAULT

    _require_folder(data)
    config = DiagnoseConfig.checked(
        model=model,
        datasets=_split(dataset),
        stages=_split(stages) if stages else None,
        limit=limit,
        modes=_split(modes),
        elicits=_split(elicits),
        tools=_split(tools),
        extractors=extractors,
        k=k,
        rating=rating,
        matcher=matcher or DEFAULT,
        text_only=text_only,
        seed=seed,
    )
    with Progress() as progress:
        run_diagnosis(config, out, data=data, progress=progress)
    _finish(out, as_json)


@cli.command()
@click.argument("source", metavar="COMPLETIONS.jsonl", type=click.Path(path_type=Path))
@click.option("--dataset", required=True, help="A name, or a file of cases.")
@click.option("--stage", required=True, help="The stage that the completions answer.")
@data_option
@out_option("Run folder; the same command again changes nothing.")
@json_option
def score(source: Path, dataset: str, stage: str, data: Path | None, out: Path, as_json: bool) -> None:
    """Score completions that were made elsewhere, like those of a run.

    One JSON object a line: case_id or question, completion, and model where there are several.
    """
    from counterpoise.counterfactual.completions import MAX_SHOWN, score_completions

    _require_folder(data)
    with Progress() as progress:
        matched = score_completions(source, dataset, stage, out, data=data, progress=progress)
    for one in matched.unmatched[:MAX_SHOWN]:
        click.echo(f"unmatched: line {one.line}: {one.reason}", err=True)
    for model, case_id in matched.unanswered[:MAX_SHOWN]:
        click.echo(f"unanswered: {model}: case {case_id}", err=True)
    counts = {"unmatched": len(matched.unmatched), "unanswered": len(matched.unanswered)}
    if any(counts.values()):
        click.echo(f"lines unmatched: {counts['unmatched']}; cases unanswered: {counts['unanswered']}", err=True)
    _finish(out, as_json, more=counts)


@cli.command()
@click.argument("source", metavar="INPUT.jsonl", type=click.Path(path_type=Path))
@click.option("--model", required=True, help="The target model, which also revises the texts.")
@click.option("--rounds", default=2, show_default=True, type=click.IntRange(min=1), help="Rounds of revision.")
@click.option("--beam", default=2, show_default=True, type=click.IntRange(min=1), help="Texts kept per round.")
@click.option("--objective", default="max", show_default=True, type=click.Choice(["max", "min", "random"]))
@seed_option
@out_option("Run folder; the same command again resumes it.")
@json_option
def curate(
    source: Path, model: str, rounds: int, beam: int, objective: str, seed: int, out: Path, as_json: bool
) -> None:
    """Revise question-answer texts so that they carry safety implications for a model."""
    from counterpoise.curation.curate import CurateConfig, read_texts
    from counterpoise.curation.curate import curate as run_curation
    from counterpoise.lm.embedding import open_embedder
    from counterpoise.lm.names import open_model

    texts = read_texts(source)
    config = CurateConfig(rounds=rounds, beam=beam, objective=objective, seed=seed)
    lm = open_model(model)
    with Progress() as progress:
        run_curation(texts, lm, lm, open_embedder("embedded/minilm"), config, out, progress=progress)
    _finish(out, as_json)


@cli.command()
@click.argument("plan", metavar="PLAN.yaml", type=click.Path(path_type=Path))
@click.option("--curated", type=click.Path(path_type=Path), help="A curated.jsonl, instead of the one the plan names.")
@data_option
@out_option("Run folder; the same command again resumes it.")
@json_option
def lab(plan: Path, curated: Path | None, data: Path | None, out: Path, as_json: bool) -> None:
    """Attack and defend a model by fine-tuning, and measure what changed."""
    from counterpoise.customization.lab import run_lab
    from counterpoise.customization.plan import load_plan

    _require_folder(data)
    loaded = load_plan(plan, curated=curated)
    with Progress() as progress:
        run_lab(loaded, out, data=data, progress=progress)
    _finish(out, as_json)


@cli.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The HTML file to write.")
def report(folders: tuple[Path, ...], out: Path) -> None:
    """Write one self-contained HTML file about one or more run folders."""
    from counterpoise.report.html import write

    write(folders, out)
    click.echo(out)


@cli.group()
def models() -> None:
    """The embedded models, which come as packages."""


@models.command("list")
@json_option
def models_list(as_json: bool) -> None:
    """List the embedded models."""
    from counterpoise.lm.embedded import listing

    entries = listing()
    if as_json:
        _print_json(entries)
    else:
        _print_table(
            ("model", "kind", "licence", "package", "installed"),
            [(e["name"], e["kind"], e["licence"], e["package"], "yes" if e["installed"] else "no") for e in entries],
        )


@models.command("pull")
@click.argument("names", nargs=-1)
def models_pull(names: tuple[str, ...]) -> None:
    """Install the embedded models (all of them, or NAMES) and convert them for use."""
    from counterpoise.lm.embedded import EMBEDDED, pull

    for name in names:
        if name not in EMBEDDED:
            raise UnknownNameError("embedded model", name, EMBEDDED)
    for name in names or EMBEDDED:
        click.echo(f"{name}: installing", err=True)
        click.echo(f"{name}: {pull(name)}")


@cli.group()
def matchers() -> None:
    """What decides whether two texts mean the same."""


@matchers.command("list")
@json_option
def matchers_list(as_json: bool) -> None:
    """List the matchers."""
    from counterpoise.counterfactual.match.registry import DEFAULT
    from counterpoise.counterfactual.match.registry import matchers as entries

    if as_json:
        _print_json(
            [
                {"name": e.name, "default": e.name == DEFAULT, "needs": e.needs or None, "summary": e.summary}
                for e in entries()
            ]
        )
    else:
        rows = [(e.name, "default" if e.name == DEFAULT else "", e.needs or "nothing", e.summary) for e in entries()]
        _print_table(("matcher", "", "needs", "what it does"), rows)


@matchers.command("calibrate")
@click.option("--pairs", "file", type=click.Path(path_type=Path), help="Your own labelled pairs, as JSON lines.")
@click.option("--model", help="Measure the judge too, with this model.")
@click.option("--nli", help="Measure nli too, with this model: a folder, or owner/name@revision.")
@seed_option
@json_option
def matchers_calibrate(file: Path | None, model: str | None, nli: str | None, seed: int, as_json: bool) -> None:
    """Measure how far the matchers agree with people, on the labelled pairs that ship with the package."""
    from counterpoise.counterfactual.match.calibrate import calibrate
    from counterpoise.counterfactual.match.labelled import read_pairs, shipped_pairs
    from counterpoise.counterfactual.match.registry import MATCHERS, open_matcher

    pairs = shipped_pairs() if file is None else read_pairs(file)
    chosen = [*MATCHERS, *(["nli"] if nli else []), *(["judge"] if model else [])]
    opened = [open_matcher(name, model=model, nli=nli) for name in chosen]
    found = calibrate(pairs, opened, held_out=file is None, seed=seed)
    if as_json:
        _print_json([one.model_dump(mode="json") for one in found])
    else:
        _print_calibrations(found)


@cli.command()
@data_option
@json_option
def doctor(data: Path | None, as_json: bool) -> None:
    """Check what is installed here; exits with 1 if something needed is missing."""
    from dataclasses import asdict

    from counterpoise.doctor import examine

    checks = examine(data)
    if as_json:
        _print_json([asdict(check) for check in checks])
    else:
        _print_table(("check", "verdict", "detail"), [(c.name, c.verdict, c.detail) for c in checks])
    if failed := [check.name for check in checks if check.verdict == "failed"]:
        raise CounterpoiseError("something needed is missing", where=", ".join(failed))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors raised on purpose are one line on standard error."""
    try:
        cli.main(args=None if arguments is None else list(arguments), prog_name="counterpoise", standalone_mode=False)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "counterpoise"
        return _fail(f"{' '.join(error.format_message().split())} (see {where} --help)", 2)
    except CounterpoiseError as error:
        return _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted; nothing finished is lost, the same command again resumes", 130)
    except BrokenPipeError:
        # The reader of standard output has left; keep the interpreter from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _fail(message: str, code: int) -> int:
    click.echo(f"error: {message}", err=True)
    return code


def _split(names: str) -> list[str]:
    found = [name.strip() for name in names.split(",") if name.strip()]
    if not found:
        raise UsageError("an empty list of names", expected="names separated by commas")
    return list(dict.fromkeys(found))


def _require_folder(data: Path | None) -> None:
    if data is not None and not data.is_dir():
        raise DataError(f"no data folder at {data}", fix="check --data and COUNTERPOISE_DATA")


def _finish(out: Path, as_json: bool, more: Mapping[str, Any] | None = None) -> None:
    """Write the run's report and print its tables; ``more`` is added to the JSON."""
    from counterpoise.report import terminal
    from counterpoise.report.html import write
    from counterpoise.report.tables import tables_of, to_json

    write([out], out / "report.html")
    tables = tables_of([out])
    if as_json:
        _print_json({**to_json(tables), **(more or {})})
    else:
        terminal.show(tables)
        click.echo(f"report: {out / 'report.html'}")


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        # Text, not markup: cells may hold anything.
        table.add_row(*(Text(str(cell)) for cell in row))
    # In a file or a pipe nothing bounds a line, and a name that is cut is no name.
    Console(width=None if sys.stdout.isatty() else 200, soft_wrap=not sys.stdout.isatty()).print(table)


def _print_calibrations(found: Sequence[Any]) -> None:
    def shown(value: float | None) -> str:
        return "n/a" if value is None else f"{value:.2f}"

    def spread(one: Any) -> str:
        interval = one.intervals["kappa"]
        return f"{shown(one.kappa)} [{shown(interval.low)}, {shown(interval.high)}]"

    _print_table(
        ("matcher", "kappa", "F1", "precision", "recall", "unscored"),
        [
            (
                one.name + ("*" if one.held_out else ""),
                spread(one),
                *(shown(value) for value in (one.f1, one.precision, one.recall)),
                one.unscored,
            )
            for one in found
        ],
    )
    click.echo("\nkappa with the threshold moved, and at its best in hindsight")
    offsets = list(found[0].sensitivity)
    _print_table(
        ("matcher", "threshold", *offsets, "best"),
        [
            (
                one.name,
                shown(one.threshold),
                *(shown(one.sensitivity[offset]) for offset in offsets),
                f"{shown(one.best_kappa)} at {shown(one.best_threshold)}",
            )
            for one in found
        ],
    )
    click.echo("\nshare of the pairs decided as labelled")
    tables = [{**one.kinds, **one.families} for one in found]
    _print_table(
        ("pairs", "n", *(one.name for one in found)),
        [(part, first.pairs, *(shown(table[part].right) for table in tables)) for part, first in tables[0].items()],
    )
    click.echo("")
    click.echo(f"{found[0].pairs} pairs; 95 % intervals; * decided out of fold: fitted without the pair's gold text")
    if found[0].labellers is not None:
        both = found[0].labellers
        click.echo(
            f"the two labellings of {both.pairs} pairs: kappa {shown(both.kappa.value)} "
            f"[{shown(both.kappa.low)}, {shown(both.kappa.high)}], {both.differing} differ"
        )


def _check_published(names: Sequence[str], data: Path | None, as_json: bool) -> None:
    from counterpoise.counterfactual.datasets.published import defects

    _require_folder(data)
    if data is None:
        raise UsageError("no folder to read from", fix="pass it with --data or COUNTERPOISE_DATA")
    found = defects(data)
    for name in names:
        if name not in found:
            raise UnknownNameError("published annotation set", name, tuple(found))
    chosen = {name: one for name, one in found.items() if not names or name in names}
    if as_json:
        _print_json(chosen)
        return
    _print_table(
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
    _print_table(("dataset", "cases", "stage", "oracle", *names), rows)
    for result in results:
        for reject in result["rejects"]:
            click.echo(f"rejected {result['dataset']} {reject['id']}: {reject['reason']}")
