"""How a golden file is written: what made it stands in it. Knows no model and no optimizer."""
import gzip
import json
import platform
from pathlib import Path

import numpy
import safetensors
import torch
import transformers
from safetensors.torch import save_file


def made_by(script: str) -> dict:
    """The header of every golden file: the script and the versions of what computed the numbers."""
    return {
        "script": f"tools/reference/{script}",
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__,
        "numpy": numpy.__version__,
        "safetensors": safetensors.__version__,
    }


def write_json(path: Path, value: dict) -> None:
    """Writes one line for each innermost list or object, so that a changed number shows as a changed line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(layout(value) + "\n", encoding="utf-8")


def write_compressed(path: Path, value: dict) -> None:
    """The same, compressed; the same value makes the same bytes."""
    text = (layout(value) + "\n").encode()
    path.write_bytes(gzip.compress(text, mtime=0))
    print(f"{path.name}: {len(text)} bytes, {path.stat().st_size} compressed")


def layout(value, depth: int = 0) -> str:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if depth > 0 and not any(isinstance(item, (dict, list)) for item in inner):
        return json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    indent, end = " " * (depth + 1), " " * depth
    if isinstance(value, dict):
        lines = [f"{indent}{json.dumps(key, ensure_ascii=False)}: {layout(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{end}}}"
    return "[\n" + ",\n".join(indent + layout(item, depth + 1) for item in value) + f"\n{end}]"


def write_tensors(path: Path, tensors: dict, script: str) -> None:
    """Writes tensors, rounded to single precision, with the header as metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = {name: (tensor.float() if tensor.is_floating_point() else tensor).contiguous().clone() for name, tensor in tensors.items()}
    save_file(rounded, path, metadata={key: str(value) for key, value in made_by(script).items()})
    path.chmod(0o644)
