"""How a package is read: nothing of it is handed out before it is proved."""

from collections.abc import Callable

from boringml.package import layout
from boringml.package.manifest import Manifest, read_manifest, verify_file

Fetch = Callable[[str], bytes]


class Package:
    """The package of one digest, whose files `fetch` returns by name.

    Raises BoringError `digest_mismatch` when it is not the one of this digest,
    `package_incomplete` when it has no readable manifest, or what `fetch` raises.
    """

    def __init__(self, fetch: Fetch, digest: str) -> None:
        self._fetch = fetch
        self.manifest: Manifest = read_manifest(fetch(layout.MANIFEST), digest)

    def read(self, name: str) -> bytes:
        """Return a file's content. Raises BoringError as the constructor does."""
        content = self._fetch(name)
        verify_file(self.manifest, name, content)
        return content
