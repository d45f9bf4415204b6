"""Where things lie in a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENVS = ROOT / ".venvs"
MINISTACK_PYTHON = VENVS / "ministack" / "bin" / "python"
FUNCTIONS_PYTHON = VENVS / "functions" / "bin" / "python"
CONTAINER_PYTHON = VENVS / "container" / "bin" / "python"
UV = VENVS / "boot" / "bin" / "uv"
SAM = VENVS / "sam" / "bin" / "sam"
AWS_CLI = VENVS / "aws" / "bin" / "aws"
DEV_BIN = ROOT / ".venv" / "bin"
DEFAULT_HOME = ROOT / ".local"
