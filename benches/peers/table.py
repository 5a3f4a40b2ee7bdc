"""Medians of ratios and the lines of the table. Knows no peer and runs nothing."""
import os
import platform
import statistics
import subprocess
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path


def ratio(ours: list, theirs: list) -> str:
    """The median of the rounds' ratios and their range; above 1 is ours ahead where more is better."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return f"**{statistics.median(ratios):.2f}x** ({min(ratios):.2f}-{max(ratios):.2f})"


def middle(values: list, form: str = "{:,.0f}") -> str:
    """The median of the rounds."""
    return form.format(statistics.median(values))


def line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def entry(title: str, facts: dict, lines: list) -> str:
    """One entry of the results file."""
    header = [line("comparison", "ours", "peer", "ours to peer, median of rounds (range)", "bound"), line(*["---"] * 5)]
    return "\n".join(["", f"## {title}", "", *(f"- {name}: {value}" for name, value in facts.items()), "", *header, *lines, ""])


def machine(threads: int, loads: list) -> dict:
    """What the figures depend on besides the code."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return {
        "when": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "graftling": commit,
        "machine": f"{processor()}, {os.cpu_count()} cores, {memory_gb():.0f} GB; {threads} threads on either side",
        "load average before each run": f"median {statistics.median(loads):.1f}, from {min(loads):.1f} to {max(loads):.1f}" if loads else "-",
        "peers": ", ".join(f"{name} {version(name)}" for name in ["torch", "transformers", "accelerate", "onnxruntime"]) + f", Python {platform.python_version()}",
    }


def processor() -> str:
    facts = dict(map(str.strip, row.split(":", 1)) for row in Path("/proc/cpuinfo").read_text().splitlines() if ":" in row)
    wide = [name for name in ("avx2", "avx512f", "avx512_vnni") if name in facts.get("flags", "").split()]
    return f"{facts.get('model name', platform.machine())} ({', '.join(wide) or 'no AVX2'})"


def memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def append(path: Path, text: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)
