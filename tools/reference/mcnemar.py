"""Makes crates/graftling/tests/golden/mcnemar.json: McNemar's test by statsmodels, the same by scipy.

    python tools/reference/mcnemar.py

A case: how many examples both models tell right, only the first, only the second, neither; and the p value: exact below 25 examples that one alone
tells right, chi-squared with correction for continuity from there on.
"""
import random
from pathlib import Path

import numpy
import scipy
import statsmodels
from scipy.stats import binomtest, chi2
from statsmodels.stats.contingency_tables import mcnemar

from golden import made_by, write_json

GOLDEN = Path(__file__).resolve().parents[2] / "crates/graftling/tests/golden"
CASES = 1000


def case(number: int, rng: random.Random) -> list:
    kind = ["few", "many", "equal", "one side", "none", "edge"][number % 6]
    first, second = {
        "few": lambda: (rng.randint(0, 12), rng.randint(0, 12)),
        "many": lambda: (rng.randint(10, 90), rng.randint(10, 90)),
        "equal": lambda: (rng.randint(1, 60),) * 2,
        "one side": lambda: (0, rng.randint(0, 40)),
        "none": lambda: (0, 0),
        "edge": lambda: (lambda part: (part, rng.choice([24, 25]) - part))(rng.randint(0, 24)),
    }[kind]()
    both, neither = rng.randint(0, 9), rng.randint(0, 9)
    exact = first + second < 25
    p = float(mcnemar(numpy.array([[both, first], [second, neither]]), exact=exact, correction=True).pvalue)
    if exact:
        other = binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
    else:
        other = chi2.sf((abs(first - second) - 1) ** 2 / (first + second), 1)
    assert abs(p - other) < 1e-12, (first, second, p, other)
    return [both, first, second, neither, float(f"{p:.14g}")]


def main() -> None:
    rng = random.Random(31)
    header = made_by("mcnemar.py") | {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__}
    write_json(GOLDEN / "mcnemar.json", {"made_by": header, "cases": [case(number, rng) for number in range(CASES)]})


if __name__ == "__main__":
    main()
