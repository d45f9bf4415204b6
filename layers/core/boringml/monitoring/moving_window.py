"""How far the mean of a moving window strays by chance, however often it is looked at."""

from functools import cache
from statistics import NormalDist

_NORMAL = NormalDist()


def crossing_probability(height: float) -> float:
    """Return the chance that a moving mean goes above `height` standard errors in a window's time.

    The mean of the last window of a steady stream is Slepian's process, whose correlation falls
    as 1 - |t|, t in windows. Its maximum over one window's time, looked at without a pause:
    P(max <= h) = cdf(h)^2 - pdf(h) (h cdf(h) + pdf(h)). Source: Slepian, Annals of Mathematical
    Statistics 32 (1961); Shepp, 37 (1966). Any number of looks crosses no more often than all.
    """
    cdf, pdf = _NORMAL.cdf(height), _NORMAL.pdf(height)
    return 1 - cdf**2 + pdf * (height * cdf + pdf)


@cache
def safe_height(chance: float) -> float:
    """Return the height that is crossed with this chance in a window's time, in standard errors.

    `chance` is in (0, 0.5).
    """
    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        if crossing_probability(middle) > chance:
            low = middle
        else:
            high = middle
    return high
