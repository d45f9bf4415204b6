"""Keeps the messages in hand invisible while they are worked on, and not much longer.

The queue's own visibility timeout is six times the function's timeout, as its event source wants.
So long would the messages of a killed worker stay away. In hand they get a short lease instead,
which a thread renews: whoever dies stops renewing.
"""

import threading
from collections.abc import Callable, Sequence
from types import TracebackType


class Heartbeat:
    """Renews the lease of `receipts` until it is left: a batch is deleted when all of it is done.

    `hide` gets receipts and seconds. What it raises is given to `failed` and tried again at the
    next beat: a lease that is not renewed is a repetition, which is harmless.
    """

    def __init__(
        self,
        receipts: Sequence[str],
        hide: Callable[[Sequence[str], int], None],
        lease_seconds: int,
        failed: Callable[[Exception], None],
    ) -> None:
        self._open = list(receipts)
        self._hide = hide
        self._lease = lease_seconds
        self._failed = failed
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def retry_in(self, receipt: str, seconds: int) -> None:
        """Stop renewing one message and let it come back after so many seconds."""
        with self._lock:
            self._open.remove(receipt)
            self._renew([receipt], seconds)

    def __enter__(self) -> "Heartbeat":
        self._renew(self._open, self._lease)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(self._lease / 3):
            # Within the lock, or a beat could overwrite what retry_in says.
            with self._lock:
                self._renew(self._open, self._lease)

    def _renew(self, receipts: Sequence[str], seconds: int) -> None:
        if not receipts:
            return
        try:
            self._hide(receipts, seconds)
        except Exception as error:  # noqa: BLE001 - whatever it is, the work goes on
            self._failed(error)
