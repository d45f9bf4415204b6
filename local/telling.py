"""How long work speaks in a terminal: never silent for long, and what it cuts it marks."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str], None]
# Whoever looks at a terminal wonders after that many seconds whether it still works.
EVERY_SECONDS = 10.0


@contextmanager
def still(what: str, say: Say, every: float = EVERY_SECONDS) -> Iterator[None]:
    """Say `still <what>: <seconds> s` each `every` seconds while the block runs."""
    begin = time.monotonic()
    over = threading.Event()

    def beat() -> None:
        while not over.wait(every):
            say(f"  still {what}: {time.monotonic() - begin:.0f} s")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def shortened(text: str, most: int) -> str:
    """Return a text of at most `most` characters; where something was cut, it says so by `...`."""
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."
