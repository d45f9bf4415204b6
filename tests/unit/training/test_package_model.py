import io
import tarfile

import pytest

from boringml.errors import BoringError
from boringml.training.package_model import MAX_FILES, package_model


class Store:
    bucket = "packages"

    def __init__(self, names):
        self.written, self.content = [], io.BytesIO()
        with tarfile.open(fileobj=self.content, mode="w:gz") as archive:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size = 1
                archive.addfile(member, io.BytesIO(b"x"))
        self.content.seek(0)

    def open(self, key):
        return self.content

    def write(self, key, content):
        self.written.append(key)


@pytest.mark.parametrize(
    "names",
    [["../evil"], ["/etc/passwd"], ["a/b"], [f"f{n}" for n in range(MAX_FILES + 1)], ["model"], []],
)
def test_a_bad_archive_is_refused_and_nothing_is_written(names):
    store = Store(names)
    with pytest.raises(BoringError) as error:
        package_model(store, "jobs/model.tar.gz", "packages/credit/j/", {})
    assert error.value.code == "package_incomplete"
    assert store.written == []
