"""Lint every template: cfn-lint, and SAM's own validation, with no finding allowed.

`python -m tools.check_templates [template ...]`; without names, template.yaml, patterns/*.yaml and
dashboards/*.yaml.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The linters of the environment that runs this, and of SAM's own one (`make setup`).
CFN_LINT = Path(sys.executable).parent / "cfn-lint"
SAM = ROOT / ".venvs" / "sam" / "bin" / "sam"
ENVIRONMENT = {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}


def templates(root: Path = ROOT) -> list[Path]:
    """Return the templates of the repository."""
    nested = [path for name in ("patterns", "dashboards") for path in (root / name).glob("*.yaml")]
    return [root / "template.yaml", *sorted(nested)]


def commands(template: Path) -> dict[str, list[str]]:
    """Return the commands that check one template, by the name they are reported under."""
    return {
        "cfn-lint": [str(CFN_LINT), "--format", "parseable", "--template", str(template)],
        "sam validate": [str(SAM), "validate", "--lint", "--template", str(template)],
    }


def findings(command: list[str]) -> str:
    """Return what one linter found, "" for nothing."""
    done = subprocess.run(  # noqa: S603 - the commands are those above
        command,
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout.strip() or f"exit status {done.returncode}"


def main(arguments: list[str]) -> int:
    """Print one line for each template and linter; return 1 if anything was found."""
    clean = True
    for template in [Path(name).resolve() for name in arguments] or templates():
        name = template.relative_to(ROOT) if template.is_relative_to(ROOT) else template
        for linter, command in commands(template).items():
            found = findings(command)
            print(f"{name}: {linter}: {found or 'clean'}", flush=True)
            clean = clean and not found
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
