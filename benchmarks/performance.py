"""The figures of docs/performance.md that `wsgiraw compare` finds: runs it for each, and puts a table into the page.

    python benchmarks/performance.py --page docs/performance.md
    python benchmarks/performance.py --figures plain,post --profile full --page docs/performance.md
    python benchmarks/performance.py --figures flask --servers wsgiraw,granian --rounds 3
    python benchmarks/performance.py --figures flask-strategies,plain-strategies --page docs/concurrency.md

Whatever it does not know goes to `wsgiraw compare`. The command that it runs stands below each table, and makes the
full report, with behaviour, latency and command lines. CPU ratios are taken within a round; the median is shown. It
measures nothing itself.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from page import put
from servers import ROOT

from wsgiraw.compare.ranking import Standing, judge, microseconds, reference
from wsgiraw.compare.report.words import amount, mebibytes, milliseconds, ranged
from wsgiraw.compare.results import Results, ServerResult, from_json
from wsgiraw.compare.statistics import paired

OURS = "benchmarks.figures:app"
OBJECT = json.dumps({"one": 1, "two": 2, "three": 3})
BESIDE = "wsgiraw-handoff,wsgiraw-eventloop,wsgiraw-pooled,granian,gunicorn-gthread"
FIGURES = {
    "plain": ["benchmarks.plain:app", "--get", "/", "--generator", "wrk"],
    "flask": ["apps.flask_calc:app", "--get", "/add/2/3", "--expect", "5"],
    "django": ["apps.django_calc:app", "--get", "/add/2/3", "--expect", "5"],
    "post": [OURS, "--post", "/json", "--json", OBJECT],
    "mib": [OURS, "--get", "/mib"],
    "stream": [OURS, "--get", "/stream"],
    "close": [OURS, "--get", "/", "--close"],
}
STRATEGIES = {
    "flask-strategies": [*FIGURES["flask"], "--servers", BESIDE],
    "plain-strategies": [*FIGURES["plain"], "--servers", BESIDE],
}
"""Those of docs/concurrency.md."""


def compared(figure: str, more: list[str]) -> Results:
    """Run `wsgiraw compare`; its progress goes to standard error. Raises CalledProcessError."""
    given = {**FIGURES, **STRATEGIES}[figure]
    with tempfile.NamedTemporaryFile(suffix=".json") as saved:
        command = [sys.executable, "-m", "wsgiraw", "compare", *given, *more, "--save", saved.name]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        results = from_json(json.load(saved))
    results.command[:] = ["wsgiraw", "compare", *given, *more]
    return results


def table(results: Results) -> str:
    """The markdown table, and below it what could not be ranked, the command, and the machine."""
    (comparison,) = results.comparisons
    yardstick = reference(comparison.servers)
    standings = judge(comparison, results.ceiling)
    loads = sorted({(one.stalled, one.rate) for standing in standings for one in standing.latency})
    heads = ["server", "shape", "CPU µs/request", f"÷ {yardstick.name if yardstick else ''}", "requests/s"]
    heads += [f"p99 ms at {amount(rate)}/s" + f", {stalled} stalled" * bool(stalled) for stalled, rate in loads]
    heads += ["peak MiB", "errors"]
    lines = [f"| {' | '.join(heads)} |", f"|---|---|{'--:|' * (len(heads) - 2)}"]
    lines += [f"| {' | '.join(row(one, yardstick, loads))} |" for one in standings if one.server.rounds]
    for one in standings:
        if one.reason:
            lines.append(f"\n{one.server.name}: {'; '.join(filter(None, [one.reason, one.server.note]))}.")
    on, plan = results.machine, results.plan
    lines.append(f"\n`{shlex.join(results.command)}`: median (least–greatest), {plan['rounds']} rounds of")
    lines.append(f"{plan['duration']:g} s, {plan['connections']} connections, {on['pinning']}. {results.began[:10]};")
    lines.append(f"{on['cpu']}, {on['cores']} cores; {on['kernel']}; load {on['load']} before; {on['python']},")
    lines.append(f"{', '.join(f'{name} {version}' for name, version in results.versions.items())}.")
    return "\n".join(lines)


def row(standing: Standing, yardstick: ServerResult | None, loads: list[tuple[int, float]]) -> list[str]:
    """A server's cells; ≥ says that the generator was the limit."""
    server = standing.server
    ratio = paired(microseconds(server), microseconds(yardstick)) if yardstick else None
    found = {(one.stalled, one.rate): one for one in standing.latency}
    return [
        *(server.name, server.shape, ranged(standing.cpu), f"{ratio.median:.2f}" if ratio else ""),
        ("≥ " if standing.bound else "") + ranged(standing.throughput),
        *(milliseconds(found[load].percentile(99)) if load in found else "" for load in loads),
        *(mebibytes(standing.peak.median) if standing.peak else "", str(standing.errors.total())),
    ]


def main() -> int:
    """Measure each figure; 1 if one could not be had."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--figures", default=",".join(FIGURES), help="names, comma-separated (default: %(default)s)")
    parser.add_argument("--page", type=Path, help="also put each table into this page, between the marks of its name")
    options, more = parser.parse_known_args()
    failed = False
    for figure in options.figures.split(","):
        if figure not in {**FIGURES, **STRATEGIES}:
            parser.error(f"there is no figure {figure!r}: give {', '.join([*FIGURES, *STRATEGIES])}")
    for figure in options.figures.split(","):
        try:
            text = table(compared(figure, more))
        except subprocess.CalledProcessError as error:
            sys.stderr.write(f"{figure} left out: {error}\n")
            failed = True
            continue
        sys.stdout.write(f"### {figure}\n\n{text}\n\n")
        if options.page:
            put(options.page, figure, text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
