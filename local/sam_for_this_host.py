"""The SAM CLI, building wheels for this machine's glibc. Runs in the SAM CLI's own environment.

`sam build` refuses wheels that the runtime's glibc could not load: 2.26 for python3.11, where
numpy and ONNX Runtime need 2.27. That is right for AWS, where the runtime is therefore python3.12
or newer. Functions of the local AWS run on this machine, so here its own glibc is what counts.
"""

import platform
import sys

from aws_lambda_builders.workflows.python_pip.packager import DependencyBuilder
from samcli.cli.main import cli

name, version = platform.libc_ver()
if name == "glibc":
    major, minor = (int(part) for part in version.split(".")[:2])
    runtimes = DependencyBuilder._RUNTIME_GLIBC
    here = max(g for g in DependencyBuilder._GLIBC_TO_LATEST_MANYLINUX if g <= (major, minor))
    for runtime, least in runtimes.items():
        runtimes[runtime] = max(least, here)

if __name__ == "__main__":
    sys.exit(cli(prog_name="sam"))
