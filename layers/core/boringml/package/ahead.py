"""Files on their way while something else is done, such as importing what will read them."""

from collections.abc import Sequence
from threading import Thread

from boringml.package.reader import Fetch


def ahead(fetch: Fetch, names: Sequence[str]) -> Fetch:
    """Return what fetches like `fetch`, which a thread already calls with `names`, one by one.

    What `fetch` raises is raised where that file is asked for; the files after it, and a file that
    is asked for again or was not named, are fetched there and then.
    """
    found: dict[str, bytes | BaseException] = {}

    def run() -> None:
        for name in names:
            try:
                found[name] = fetch(name)
            except BaseException as error:  # noqa: BLE001 - raised again where the file is asked for
                found[name] = error
                return

    thread = Thread(target=run, daemon=True)
    thread.start()

    def fetched(name: str) -> bytes:
        thread.join()
        content = found.pop(name, None)
        if isinstance(content, BaseException):
            raise content
        return fetch(name) if content is None else content

    return fetched
