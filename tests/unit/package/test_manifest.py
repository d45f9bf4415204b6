import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from boringml.errors import BoringError
from boringml.package import layout, manifest

CONTENTS = {name: f"content of {name}".encode() for name in layout.FILES}


def build(**changes: Any) -> manifest.Manifest:
    facts: dict[str, Any] = {
        "model": "credit",
        "runtime": "onnx",
        "contract_version": "1.0.0",
        "files": {name: manifest.measure(content) for name, content in CONTENTS.items()},
        "libraries": {"numpy": "2.4.6"},
        "python": "3.12.1",
        "git_commit": "abc",
        "data": {"digest": "sha256:00", "rows": 10, "files": []},
        "seed": 1,
        "parameters": {"max_depth": 2},
    }
    return manifest.build_manifest(**(facts | changes))


def write(folder: Path) -> None:
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    (folder / layout.MANIFEST).write_bytes(manifest.canonical(build()))


def refusal(call: Any, *arguments: Any) -> BoringError:
    with pytest.raises(BoringError) as caught:
        call(*arguments)
    return caught.value


def test_package_digest_is_the_sha256_of_the_canonical_bytes() -> None:
    found = build()
    content = manifest.canonical(found)
    assert manifest.package_digest(found) == "sha256:" + hashlib.sha256(content).hexdigest()


def test_digest_does_not_depend_on_the_order_of_keys_or_on_white_space() -> None:
    found = build()
    turned = dict(reversed(found.items()))
    read = manifest.read_manifest(json.dumps(turned, indent=4).encode())
    assert manifest.package_digest(read) == manifest.package_digest(found)


@pytest.mark.parametrize(
    "change", [{"seed": 2}, {"git_commit": "abd"}, {"parameters": {"max_depth": 3}}]
)
def test_every_fact_is_part_of_the_digest(change: dict[str, Any]) -> None:
    assert manifest.package_digest(build(**change)) != manifest.package_digest(build())


def test_canonical_bytes_are_utf8_without_escapes() -> None:
    assert "Zürich".encode() in manifest.canonical(build(git_commit="Zürich"))


def test_a_manifest_with_a_number_that_is_not_finite_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        manifest.canonical(build(parameters={"rate": float("nan")}))


def test_training_facts_are_added_without_changing_the_original() -> None:
    found = build()
    complete = manifest.with_training(found, {"job_name": "j1", "cost_usd": 0.01})
    assert complete["training"] == {"job_name": "j1", "cost_usd": 0.01}
    assert "training" not in found


def test_the_registered_manifest_is_accepted() -> None:
    found = build()
    digest = manifest.package_digest(found)
    assert manifest.read_manifest(manifest.canonical(found), digest) == found


def test_a_manifest_that_was_edited_is_refused() -> None:
    digest = manifest.package_digest(build())
    edited = manifest.canonical(build(seed=2))
    error = refusal(manifest.read_manifest, edited, digest)
    assert (error.code, error.details["file"]) == ("digest_mismatch", "manifest.json")
    assert digest in error.message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format":2}',
        b'{"format":1}',
        manifest.canonical(build() | {"runtime": "pmml"}),
        manifest.canonical(build() | {"files": []}),
        manifest.canonical(build() | {"files": {"model.onnx": {"sha256": "00"}}}),
        b"\xff",
    ],
)
def test_what_is_no_manifest_is_refused_as_incomplete(content: bytes) -> None:
    assert refusal(manifest.read_manifest, content).code == "package_incomplete"


@pytest.mark.parametrize("name", ["../model.onnx", "a/b", "..", "", "manifest.json"])
def test_a_manifest_that_lists_a_path_is_refused(name: str) -> None:
    found = build()
    found["files"] = {**found["files"], name: manifest.measure(b"x")}
    assert refusal(manifest.read_manifest, manifest.canonical(found)).code == "package_incomplete"


@pytest.mark.parametrize("name", layout.FILES)
def test_an_onnx_package_lacks_no_file(name: str) -> None:
    files = {n: manifest.measure(c) for n, c in CONTENTS.items() if n != name}
    with pytest.raises(BoringError, match=name) as caught:
        build(files=files)
    assert caught.value.code == "package_incomplete"


def test_a_sklearn_package_needs_no_onnx_model() -> None:
    files = {n: manifest.measure(c) for n, c in CONTENTS.items() if n != layout.ONNX_MODEL}
    assert build(runtime="sklearn", files=files)["runtime"] == "sklearn"


def test_an_untouched_package_is_proved(tmp_path: Path) -> None:
    write(tmp_path)
    found = manifest.read_manifest((tmp_path / layout.MANIFEST).read_bytes())
    manifest.verify(found, manifest.measure_directory(tmp_path))
    manifest.verify_file(found, layout.ONNX_MODEL, CONTENTS[layout.ONNX_MODEL])


@pytest.mark.parametrize("name", layout.FILES)
def test_one_changed_byte_in_any_file_is_found(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    content = bytearray(CONTENTS[name])
    content[0] ^= 1
    (tmp_path / name).write_bytes(content)
    error = refusal(manifest.verify, build(), manifest.measure_directory(tmp_path))
    assert (error.code, error.details["file"]) == ("digest_mismatch", name)
    error = refusal(manifest.verify_file, build(), name, bytes(content))
    assert (error.code, error.details["file"]) == ("digest_mismatch", name)


def test_a_file_that_is_gone_is_found(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / layout.GOLDEN).unlink()
    error = refusal(manifest.verify, build(), manifest.measure_directory(tmp_path))
    assert (error.code, error.details["file"]) == ("package_incomplete", "golden.json")


def test_a_file_that_was_added_is_found(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "sitecustomize.py").write_text("print('hello')")
    error = refusal(manifest.verify, build(), manifest.measure_directory(tmp_path))
    assert (error.code, error.details["file"]) == ("digest_mismatch", "sitecustomize.py")


def test_a_file_that_the_manifest_does_not_know_cannot_be_proved() -> None:
    assert refusal(manifest.verify_file, build(), "other.onnx", b"").code == "package_incomplete"


def test_a_file_is_measured_as_its_content_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 300_000)
    assert manifest.measure_file(path) == manifest.measure(b"x" * 300_000)


def test_the_module_imports_no_third_party_library() -> None:
    import subprocess
    import sys

    core = str(Path(manifest.__file__).parents[2])
    code = (
        f"import sys; sys.path.insert(0, {core!r}); import boringml.package.manifest; "
        "print([m for m in ('numpy', 'boto3', 'msgspec', 'onnxruntime') if m in sys.modules])"
    )
    # -I -S: no site-packages at all, so an import of a library would fail.
    output = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"
