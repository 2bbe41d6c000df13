"""The report of bench_peers.py as markdown."""

import os

from bench.cases import FIRST
from bench.peers import MODES, NAMES

BUSY = 0.5  # load per processor at the start above which figures say little


def milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g}"


def row_of(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def head_of(cells: list[str]) -> list[str]:
    return [row_of(cells), "|" + "---|" * len(cells)]


def best_cells(row: dict, peer: str) -> list[str]:
    """The best time of a peer, how it came about, and the ratio."""
    best = row["best"].get(peer)
    if not best:
        return ["", ""]
    mode = best["mode"].removeprefix("jax ")
    return [f"{milliseconds(best['step_s'])} ms ({mode}, {best['threads']})", f"**{best['ratio']:.2f}**"]


def ratios(report: dict) -> list[str]:
    """skipnet and the best of every peer."""
    peers = list(report["versions"])
    names = [cell for peer in peers for cell in (f"{NAMES[peer]}, best", "ratio")]
    lines = head_of(["network (blocks of width), batch", "skipnet", "of the limit", *names, "time to the first"])
    first = next((row["skipnet_s"] for row in report["rows"] if row["name"] == FIRST), None)
    for row in report["rows"]:
        cells = [f"{row['name']}, {row['case']['batch']}"]
        cells.append(f"{milliseconds(row['skipnet_s'])} ms ({row['skipnet_threads']})")
        cells.append(f"{100 * row['limit_share']:.0f} %")
        cells += [cell for peer in peers for cell in best_cells(row, peer)]
        cells.append(f"{row['skipnet_s'] / first:.2f}" if first and row["name"].startswith(FIRST) else "")
        lines.append(row_of(cells))
    return lines


def all_times(report: dict) -> list[str]:
    """Milliseconds in every mode, at every thread count."""
    modes = [mode for mode in MODES if any(mode in row["modes_s"] for row in report["rows"])]
    if not modes:
        return []
    threads = [str(n) for n in report["threads"]]

    def cell(times: dict) -> str:
        return " / ".join(milliseconds(times[n]) if n in times else "-" for n in threads)

    lines = head_of([f"ms on {' / '.join(threads)} threads", "skipnet", *modes])
    for row in report["rows"]:
        lines.append(
            row_of([row["name"], cell(row["skipnet_all_s"]), *(cell(row["modes_s"].get(m, {})) for m in modes)])
        )
    return ["", *lines]


def notes(report: dict) -> list[str]:
    lines = [f"- {name}: {note}" for name, note in report["notes"]]
    if "side_by_side" in report:
        pair = report["side_by_side"]
        lines.append(f"- two runs of one thread side by side: {pair['throughput']:.2f} times the throughput of one")
    for row in report.get("scaling", []):
        lines.append(
            f"- {row['blocks']} blocks of 64: {1e3 * row['step_s']:.4g} ms; a further block takes"
            f" {row['ratio']:.2f} times what one of 50 takes"
        )
    if report["load"] > BUSY * os.cpu_count():
        lines.append(
            f"- others were at work here (load {report['load']:.1f} on {os.cpu_count()} processors at the"
            " start): measure again on a quiet machine"
        )
    machine = report["machine"]
    versions = "".join(f", {NAMES[peer]} {version}" for peer, version in report["versions"].items())
    lines.append(
        f"- {machine['program']} ({machine['commit']}) on {machine['cpu']}, {os.cpu_count()} processors,"
        f" {machine['simd']}, OpenBLAS kernels for {machine['openblas_core']}{versions}; {report['date']}; minima,"
        f" threads in parentheses: `{report['command']}`"
    )
    return lines


def text_of(report: dict) -> str:
    return "\n".join([*ratios(report), *all_times(report), "", *notes(report)])
