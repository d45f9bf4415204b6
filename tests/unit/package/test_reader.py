"""Nothing of a package is handed out before it is proved."""

import pytest

from boringml.errors import BoringError
from boringml.package import layout
from boringml.package.manifest import build_manifest, canonical, measure, package_digest
from boringml.package.reader import Package

FILES = {name: name.encode() for name in layout.FILES}
MANIFEST = build_manifest(
    model="credit",
    runtime="onnx",
    contract_version="1.0.0",
    files={name: measure(content) for name, content in FILES.items()},
    libraries={},
    python="3.12.0",
    git_commit="unknown",
    data={"digest": "sha256:" + "0" * 64, "rows": 1, "files": []},
    seed=1,
    parameters={},
)
STORED = {**FILES, layout.MANIFEST: canonical(MANIFEST)}


@pytest.mark.parametrize("name", layout.FILES)
def test_a_file_is_handed_out_as_it_was_registered_and_no_other_way(name: str) -> None:
    digest = package_digest(MANIFEST)
    assert Package(STORED.__getitem__, digest).read(name) == FILES[name]
    changed = {**STORED, name: FILES[name][::-1]}
    with pytest.raises(BoringError) as refused:
        Package(changed.__getitem__, digest).read(name)
    assert refused.value.code == "digest_mismatch"


def test_a_package_of_another_digest_is_not_opened() -> None:
    with pytest.raises(BoringError) as refused:
        Package(STORED.__getitem__, "sha256:" + "0" * 64)
    assert refused.value.code == "digest_mismatch"
