"""The SAM application: built and deployed to a local AWS by the real SAM CLI."""

import fcntl
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from local.outputs import stack_outputs
from local.paths import DEV_BIN, ROOT, SAM
from local.server import LocalAWS
from local.settings import JOB_IMAGE

CONFIG_ENV = "local"
# Not part of what is deployed, or made by it.
IGNORED = {
    ".aws-sam", ".git", ".hypothesis", ".local", ".mypy_cache", ".pytest_cache", ".ruff_cache",
    ".venv", ".venvs", "__pycache__", "benchmarks", "container", "docs", "local", "tests",
}  # fmt: skip
ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


class DeploymentError(RuntimeError):
    """The SAM CLI failed; the message holds the end of its output."""


class _AnyTag(yaml.SafeLoader):
    """Reads a template whose short functions, such as !Ref, do not matter."""


_AnyTag.add_multi_constructor("!", lambda *_: None)


@dataclass(frozen=True)
class Application:
    """The folder of a SAM application: template.yaml, samconfig.toml and what they name."""

    folder: Path = ROOT

    def fingerprint(self, parameters: Mapping[str, str]) -> str:
        """Return a digest of all files that a deployment may depend on, and its parameters."""
        digest = hashlib.sha256(json.dumps(dict(parameters), sort_keys=True).encode())
        for path in self._files(self.folder):
            digest.update(f"{path.relative_to(self.folder)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def _files(self, folder: Path) -> Iterator[Path]:
        for entry in sorted(folder.iterdir()):
            if entry.name in IGNORED or entry.is_symlink():
                continue
            if entry.is_dir():
                yield from self._files(entry)
            elif entry.is_file():
                yield entry

    def parameters(self) -> dict[str, str]:
        """Return the template's parameters on this machine.

        Those of samconfig.toml's [local]; of the others that the template declares, the
        interpreter and processor of this machine, the image that local training jobs run, and the
        commit of the checkout, marked where files differ from it.
        """
        declared = self._declared()
        facts = {
            "PythonRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}",
            "Architecture": ARCHITECTURES[platform.machine()],
            "JobImageUri": JOB_IMAGE,
            "GitCommit": self._commit(),
        }
        return self._configured() | {
            name: value for name, value in facts.items() if name in declared
        }

    def _declared(self) -> set[str]:
        template = yaml.load((self.folder / "template.yaml").read_text(), _AnyTag)  # noqa: S506
        return set(template.get("Parameters", {}))

    def _commit(self) -> str:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        return done.stdout.strip() or "unknown"

    def _configured(self) -> dict[str, str]:
        file = self.folder / "samconfig.toml"
        config = tomllib.loads(file.read_text()) if file.exists() else {}
        section = config.get(CONFIG_ENV, {}).get("deploy", {}).get("parameters", {})
        overrides = section.get("parameter_overrides", [])
        words = shlex.split(overrides if isinstance(overrides, str) else " ".join(overrides))
        return dict(word.split("=", 1) for word in words)

    def build(self, log: Path) -> None:
        """Build functions and layers into .aws-sam, by the cache where nothing changed.

        `log` gets the whole output. Raises DeploymentError.
        """
        arguments = ["--cached", "--parallel", "--config-env", CONFIG_ENV, "--parameter-overrides"]
        with self._building():
            try:
                self._sam(log, {}, "build", *arguments, *_overrides(self.parameters()))
            except DeploymentError:
                # What a failed build left half-done would pass for a finished one by its cache.
                for part in ("cache", "deps"):
                    shutil.rmtree(self.folder / ".aws-sam" / part, ignore_errors=True)
                raise

    def deploy(
        self,
        local_aws: LocalAWS,
        stack_name: str,
        log: Path,
        parameters: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Deploy what `build` made as a stack of its own; return its outputs, with local URLs.

        `parameters` are added to those of this machine. A stack without changes is a success.
        Raises DeploymentError.
        """
        merged = self.parameters() | dict(parameters or {})
        with self._building():
            self._sam(
                log,
                local_aws.environ(),
                "deploy",
                "--config-env",
                CONFIG_ENV,
                "--stack-name",
                stack_name,
                "--resolve-s3",
                "--s3-prefix",
                stack_name,
                "--capabilities",
                "CAPABILITY_IAM",
                "CAPABILITY_AUTO_EXPAND",
                "--no-confirm-changeset",
                "--no-fail-on-empty-changeset",
                "--no-progressbar",
                "--parameter-overrides",
                *_overrides(merged),
            )
        return stack_outputs(local_aws.client("cloudformation"), stack_name, local_aws.endpoint_url)

    @contextmanager
    def _building(self) -> Iterator[None]:
        """Let one process at a time use .aws-sam: a test run and `make up` share it."""
        folder = self.folder / ".aws-sam"
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _sam(self, log: Path, environ: Mapping[str, str], *arguments: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name[:4] != "AWS_"}
        environment |= {
            # The interpreter that Runtime names, with pip, must be found first.
            "PATH": f"{DEV_BIN}{os.pathsep}{os.environ['PATH']}",
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.3",
            "NO_PROXY": f"127.0.0.1,localhost,{os.environ.get('NO_PROXY', '')}",
            **environ,
        }
        with log.open("w") as output:
            process = subprocess.run(
                [*_sam_command(arguments[0]), *arguments],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if process.returncode != 0:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
            raise DeploymentError(f"sam {arguments[0]} failed; the end of {log}:\n{tail}")


def _sam_command(command: str) -> list[str]:
    if command != "build":
        return [str(SAM)]
    # -P: what lies beside the script is no module of the SAM CLI's.
    return [str(SAM.parent / "python"), "-P", str(ROOT / "local" / "sam_for_this_host.py")]


def _overrides(parameters: Mapping[str, str]) -> list[str]:
    return [f'{name}="{value}"' for name, value in sorted(parameters.items())]
