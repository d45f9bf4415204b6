"""container/Dockerfile and tools/build_image.sh, where no Docker is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
DOCKERFILE = (REPOSITORY / "container" / "Dockerfile").read_text()
IGNORE = (REPOSITORY / "container" / "Dockerfile.dockerignore").read_text().split()
DIGEST = "sha256:" + "ab" * 32
COMMIT = "c0ffee" * 6 + "c0ff"


def copied() -> list[str]:
    return re.findall(r"^COPY ([^-\s]\S*) ", DOCKERFILE, re.MULTILINE)


def test_every_base_image_is_pinned_by_its_digest() -> None:
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.\d+-slim@sha256:[0-9a-f]{64}$", DOCKERFILE, re.M)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_what_the_image_copies_exists_and_is_not_ignored() -> None:
    assert copied()
    for source in copied():
        assert (REPOSITORY / source).exists(), source
        assert f"!{source}" in IGNORE, source
    assert IGNORE[0] == "*"


@pytest.mark.parametrize("verb", ["train", "serve"])
def test_the_entry_point_can_be_executed(verb: str) -> None:
    assert os.access(REPOSITORY / "container" / verb, os.X_OK)


def test_what_the_entry_points_import_is_proved_when_the_image_is_built() -> None:
    (proved,) = re.findall(r'python -c "import (.*)"', DOCKERFILE)
    wanted = {"container.trainer.run", "container.server.main", "container.server.loading"}
    assert set(proved.split(", ")) == wanted


def test_the_image_says_that_it_takes_the_port_it_is_given() -> None:
    assert 'com.amazonaws.sagemaker.capabilities.accept-bind-to-port="true"' in DOCKERFILE


DOCKER = f"""#!/bin/sh
echo "docker $*" >> "$CALLS"
case "$*" in *--password-stdin*) cat > /dev/null ;; esac
while [ $# -gt 0 ]; do
  if [ "$1" = --metadata-file ]; then echo '{{"containerimage.digest": "{DIGEST}"}}' > "$2"; fi
  shift
done
"""
AWS = """#!/bin/sh
echo "aws $*" >> "$CALLS"
case "$*" in
  *get-caller-identity*) echo 123456789012 ;;
  *describe-repositories*) [ -n "$HAS_REPOSITORY" ] ;;
  *describe-images*) [ -n "$HAS_IMAGE" ] && echo "$HAS_IMAGE" ;;
  *get-login-password*) echo secret ;;
esac
"""
GIT = f"""#!/bin/sh
case "$*" in
  *status*) printf '%s' "$CHANGES" ;;
  *rev-parse*) echo {COMMIT} ;;
esac
"""


class Tools:
    """A PATH with stand-ins that write down how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        self.calls = folder / "calls"
        self.calls.touch()
        for name in ("bash", "dirname", "mktemp", "rm", "sh", "cat"):
            found = next(
                Path(place) / name
                for place in os.environ["PATH"].split(os.pathsep)
                if (Path(place) / name).exists()
            )
            (self.folder / name).symlink_to(found)
        (self.folder / "python3").symlink_to(sys.executable)
        for name, script in (("docker", DOCKER), ("aws", AWS), ("git", GIT)):
            (self.folder / name).write_text(script)
            (self.folder / name).chmod(0o755)

    def build(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(REPOSITORY / "tools" / "build_image.sh"), *arguments],
            env={
                "PATH": str(self.folder),
                "CALLS": str(self.calls),
                "AWS_REGION": "eu-west-1",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(tmp_path)


def test_the_image_is_pushed_and_named_by_its_digest(tools: Tools) -> None:
    result = tools.build(HAS_REPOSITORY="yes")
    assert result.returncode == 0, result.stderr
    registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    assert result.stdout == f"JobImageUri={registry}/boringml@{DIGEST}\n"
    calls = tools.calls.read_text()
    assert "--platform linux/amd64 --provenance=false" in calls
    assert f"name={registry}/boringml:{COMMIT},push=true,oci-mediatypes=false" in calls
    assert "create-repository" not in calls


def test_a_repository_that_is_not_there_is_made_with_immutable_tags(tools: Tools) -> None:
    assert tools.build(ECR_REPOSITORY="team/ml").returncode == 0
    created = "--repository-name team/ml --image-tag-mutability IMMUTABLE"
    assert created in tools.calls.read_text()


def test_the_image_of_a_commit_is_built_once(tools: Tools) -> None:
    result = tools.build(HAS_REPOSITORY="yes", HAS_IMAGE=DIGEST)
    assert result.stdout.endswith(f"@{DIGEST}\n")
    assert "buildx build" not in tools.calls.read_text()


def test_a_local_image_needs_no_aws(tools: Tools) -> None:
    assert tools.build("--local").returncode == 0
    calls = tools.calls.read_text()
    assert f"--load --tag boringml:{COMMIT}" in calls
    assert "aws" not in calls


def test_without_docker_it_says_who_needs_the_image(tools: Tools) -> None:
    (tools.folder / "docker").unlink()
    result = tools.build()
    assert result.returncode == 1
    assert "docker is not installed" in result.stderr
    assert "the local AWS trains without it" in result.stderr


def test_changes_without_a_commit_are_refused(tools: Tools) -> None:
    result = tools.build(CHANGES=" M models/credit/train.py")
    assert result.returncode == 1
    assert "commit first" in result.stderr
