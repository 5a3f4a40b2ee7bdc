"""Runs one command and tells what it cost: wall time, peak memory, and the JSON object it printed. Knows no peer."""
import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass, field


@dataclass
class Run:
    """What one run of a command cost, and what it said."""

    wall_s: float
    peak_bytes: int
    load: float
    said: dict = field(default_factory=dict)
    told: str = ""
    """What it wrote to standard error."""


def run(command: list) -> Run:
    """Runs the command to its end; a failure ends the comparison with what the command wrote to standard error.

    `{now}` in an argument becomes the present time in seconds of the epoch.
    """
    load = os.getloadavg()[0]
    started = time.time()
    words = [str(word).replace("{now}", f"{started:.6f}") for word in command]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(words, stdout=output, stderr=errors)
        # ru_maxrss is the kernel's VmHWM of the process.
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.time() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said, complaints = (text(stream) for stream in (output, errors))
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(words)}\nfailed with {process.returncode}:\n{complaints[-3000:]}")
    return Run(wall_s, usage.ru_maxrss * 1024, load, last_object(said), complaints)


def text(stream) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")


def last_object(output: str) -> dict:
    """The JSON object that ends the output, on one line or on several; an empty one where there is none."""
    lines = output.splitlines()
    for start in range(len(lines)):
        try:
            value = json.loads("\n".join(lines[start:]))
        except json.JSONDecodeError:
            continue
        return value if isinstance(value, dict) else {}
    return {}
