"""How often the stability index crosses its chi-square threshold, by the rows that bins must have.

    python -m benchmarks.monitoring.small_bins [--pairs 40000]

Two samples of one distribution, by how many rows a bin needs (Cochran: 5). Prints, for each
tail, how many times as often as it should the index is in it: 1 is right, above 1 alarms too often.
"""

import argparse
from itertools import product

import numpy as np
from rich.console import Console
from rich.table import Table

from boringml.monitoring import distances
from boringml.monitoring.significance import chi_square_tail

SEED = 1
TAILS = (0.05, 1e-2, 1e-3, 2e-4)
SIZES = ((200, 4800), (200, 800), (1000, 4800), (5000, 4800))
DISTRIBUTIONS = {
    "deciles": np.full(10, 0.1),
    "35 categories by Zipf": 1 / np.arange(1, 36),
    "12 categories, each half": 0.5 ** np.arange(12),
}


def crossings(name: str, rows: tuple[int, int], pairs: int, rng: np.random.Generator) -> list[str]:
    """Return the mean number of bins, and how many times too often each tail is reached."""
    shares = DISTRIBUTIONS[name] / DISTRIBUTIONS[name].sum()
    window, baseline = (rng.multinomial(size, shares, pairs).tolist() for size in rows)
    join = distances.ordered_bins if name == "deciles" else distances.unordered_bins
    scale = 1 / rows[0] + 1 / rows[1]
    bins, found = [], []
    for here, there in zip(window, baseline, strict=True):
        joined = join(list(zip(here, there, strict=True)))
        if len(joined) > 1:
            bins.append(len(joined))
            index = distances.stability_index(joined) / scale
            found.append(chi_square_tail(index, len(joined) - 1))
    reached = (np.mean(np.array(found) < tail) / tail for tail in TAILS)
    return [f"{np.mean(bins):.1f}", *(f"{times:.2f}" for times in reached)]


def main() -> None:
    """Print a table of all combinations."""
    parser = argparse.ArgumentParser(description="How many rows a bin of the index needs.")
    parser.add_argument("--pairs", type=int, default=40_000)
    asked = parser.parse_args()
    rng = np.random.default_rng(SEED)
    table = Table(title="Times as often in the tail as it should be")
    for column in ("rows of a bin", "window", "baseline", "distribution", "bins", *map(str, TAILS)):
        table.add_column(column, justify="right")
    for least, rows, name in product((5, 10, 20), SIZES, DISTRIBUTIONS):
        distances.LEAST_EXPECTED = least
        told = crossings(name, rows, asked.pairs, rng)
        table.add_row(str(least), *map(str, rows), name, *told)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
