"""How often chance alone makes so large a difference. A Lambda has no room for scipy."""

import math


def chi_square_tail(value: float, degrees: int) -> float:
    """Return P(X >= value) of a chi-square variable, a number of 0 to 1.

    The finite sums of Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.4.4 (odd
    degrees of freedom) and 26.4.5 (even ones).
    """
    if value <= 0:
        return 1.0
    half = value / 2
    if degrees % 2:
        tail, exponent = math.erfc(math.sqrt(half)), 0.5
    else:
        tail, exponent = math.exp(-half), 1.0
    while exponent < degrees / 2:
        tail += math.exp(exponent * math.log(half) - half - math.lgamma(exponent + 1))
        exponent += 1
    return min(tail, 1.0)


def chi_square_quantile(tail: float, degrees: int) -> float:
    """Return the value that a chi-square variable reaches with probability `tail`, of 0 to 1.

    Found by halving, to 10 digits: exact where the formula of Wilson and Hilferty (1931) is 5 % too
    high, at few degrees of freedom and small tails.
    """
    low, high = 0.0, 1.0
    while chi_square_tail(high, degrees) > tail:
        high *= 2
    while high - low > 1e-10 * high:
        middle = (low + high) / 2
        if chi_square_tail(middle, degrees) > tail:
            low = middle
        else:
            high = middle
    return high


def share_tail(found: int, rows: int, known: int, baseline_rows: int) -> float:
    """Return how often chance puts `found` or more of all found + known rows among the `rows`.

    One-sided exact test of Fisher (1935): window and baseline are one population, and which of its
    rows have a property is settled before they are dealt to `rows` and `baseline_rows`. Exact for
    few rows and for shares of 0, where nothing is normal.
    """
    total = found + known
    others = rows + baseline_rows - total
    most = min(total, rows)
    if found <= max(0, rows - others):
        return 1.0
    logarithm = _choose(total, found) + _choose(others, rows - found)
    term = tail = math.exp(logarithm - _choose(rows + baseline_rows, rows))
    for k in range(found, most):
        term *= (total - k) * (rows - k) / ((k + 1) * (others - rows + k + 1))
        tail += term
        if term < tail * 1e-17:
            break
    return min(tail, 1.0)


def _choose(n: int, k: int) -> float:
    """Logarithm of n over k."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
