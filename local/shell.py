"""`.local/env`: what a shell sources to talk to the local AWS."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from local.outputs import variable_name
from local.paths import AWS_CLI, DEV_BIN, SAM

# Each would send a client elsewhere, or make it present something else than the local key.
UNSET = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CA_BUNDLE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
TOOLS = {"aws": AWS_CLI, "sam": SAM, "boringml": DEV_BIN / "boringml"}


def write(
    home: Path, environ: Mapping[str, str], stack_name: str, outputs: Mapping[str, str]
) -> Path:
    """Write `home`/env and the tools of `home`/bin; return the file to be sourced.

    `environ` makes clients talk to the local AWS, `outputs` are those of the stack, which become
    BORINGML_ variables.
    """
    tools = home / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    for name, program in TOOLS.items():
        link = tools / name
        link.unlink(missing_ok=True)
        if program.exists():
            link.symlink_to(program)
    variables = {
        **environ,
        "SAM_CLI_TELEMETRY": "0",
        "BORINGML_STACK": stack_name,
        **{variable_name(name): value for name, value in outputs.items()},
    }
    found = shlex.quote(str(tools))
    lines = [
        "# Written by `make up`. Use: source .local/env",
        f"unset {' '.join(UNSET)}",
        "for name in $(env | sed -n 's/^\\(AWS_ENDPOINT_URL_[A-Z0-9_]*\\)=.*/\\1/p'); do "
        'unset "$name"; done',
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
        'export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"',
        'export no_proxy="$NO_PROXY"',
        f'case ":$PATH:" in *:{found}:*) ;; *) export PATH={found}:"$PATH" ;; esac',
    ]
    file = home / "env"
    temporary = home / f"env.{os.getpid()}"
    temporary.write_text("\n".join(lines) + "\n")
    temporary.replace(file)
    return file
