import io
import tarfile

import pytest

from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.manifest import build_manifest, canonical, measure
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


def test_a_proved_package_is_written_with_its_manifest_last_and_the_same_job_makes_the_same():
    first, second = PackageStore(), PackageStore()
    made = package_model(first, "jobs/model.tar.gz", "packages/credit/j/", {"job_name": "j"})
    again = package_model(second, "jobs/model.tar.gz", "packages/credit/j/", {"job_name": "j"})
    assert first.written[-1] == "packages/credit/j/manifest.json"
    assert len(first.written) == len(layout.FILES) + 1
    assert made["package_digest"] == again["package_digest"]
    assert made["manifest"]["training"] == {"job_name": "j"}


def test_a_file_that_its_manifest_does_not_know_by_digest_is_refused_and_nothing_is_written():
    store = PackageStore(tampered=layout.ONNX_MODEL)
    with pytest.raises(BoringError) as error:
        package_model(store, "jobs/model.tar.gz", "packages/credit/j/", {})
    assert error.value.code == "digest_mismatch"
    assert store.written == []


class PackageStore(Store):
    """A store whose artefact is a whole package, one file of it changed where asked."""

    def __init__(self, tampered=None):
        super().__init__([])
        files = {name: name.encode() for name in layout.FILES}
        manifest = build_manifest(
            model="credit",
            runtime="onnx",
            contract_version="1.0.0",
            files={name: measure(content) for name, content in files.items()},
            libraries={},
            python="3.12.0",
            git_commit="unknown",
            data={"digest": "sha256:" + "0" * 64, "rows": 1, "files": []},
            seed=1,
            parameters={},
        )
        if tampered:
            # The same length, so that it is the digest that tells.
            files[tampered] = files[tampered][::-1]
        files[layout.MANIFEST] = canonical(manifest)
        self.content = io.BytesIO()
        with tarfile.open(fileobj=self.content, mode="w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(f"./{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        self.content.seek(0)
