"""Each `aws` command of the pages runs as it is written, on version 1 of the CLI and on version 2.

A shell reads them, with an `aws` in its path that only notes how it was called; the pinned CLI
(version 1) then parses that with its own parser and models. Nothing is called. Version 2 is no
package of PyPI: what differs there is a rule below.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from local.paths import AWS_CLI, ROOT

PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "docs" / "deploy.md",
        *ROOT.glob("docs/flows/*.md"),
        *ROOT.glob("docs/runbooks/*.md"),
    ]
)
PARSER = Path(__file__).with_name("parse_aws.py")
FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]*\baws [a-z0-9]+\s[^`]*)`")
ENDS = "\x1e"
# What the CLI says of a service or an operation that it does not have.
UNKNOWN = "nvalid choice"
# Its answer is a name where a command uses it as one, and a file of objects where it is kept.
NOTES = f"""#!/bin/bash
printf '%s\\0' "$@" >> calls
printf '{ENDS}\\0' >> calls
echo '{{"Objects":[{{"Key":"x"}}]}}'
"""


def snippets(page: Path) -> list[str]:
    """Return the parts of a page that a reader pastes and that have an `aws` command."""
    text = page.read_text()
    fences = [f for f in FENCE.findall(text) if re.search(r"^aws |\$\(aws ", f, re.MULTILINE)]
    inline = INLINE.findall(FENCE.sub("", text))
    return fences + [" ".join(code.split()) for code in inline]


def calls(snippet: str, folder: Path) -> list[list[str]]:
    """Return the arguments of each `aws` that a shell would run of a snippet.

    Raises AssertionError where the shell cannot read it.
    """
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name, script in (("aws", NOTES), ("date", "#!/bin/bash\necho 1764000000\n")):
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    (folder / ".local").mkdir(exist_ok=True)
    (folder / ".local" / "env").touch()
    (folder / "calls").write_text("")
    names = set(re.findall(r"\$\{?([A-Z_]+)", snippet))
    done = subprocess.run(
        ["/bin/bash", "-c", snippet],
        cwd=folder,
        env={"PATH": str(tools), **dict.fromkeys(names, "name")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if not line.endswith("command not found")]
    assert not [line for line in said if line.startswith("/bin/bash")], (snippet, said)
    found: list[list[str]] = [[]]
    for word in (folder / "calls").read_text().split("\0")[:-1]:
        if word == ENDS:
            found.append([])
        else:
            found[-1].append(word)
    assert found[:-1], snippet
    return found[:-1]


def only_named(command: list[str]) -> bool:
    """Return whether a text names an operation and does not spell a command out."""
    return len(command) == 2 and command[0] != "s3"


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[str]]]:
    """The `aws` commands of each page, by its path."""
    folder = tmp_path_factory.mktemp("shell")
    return {
        str(page.relative_to(ROOT)): [c for s in snippets(page) for c in calls(s, folder)]
        for page in PAGES
    }


def complaints(commands: list[list[str]], folder: Path) -> list[str | None]:
    """Return what the pinned CLI says against each command."""
    file = folder / "commands.json"
    file.write_text(json.dumps(commands))
    (folder / "all.json").write_text('{"Objects": [{"Key": "x"}]}')
    done = subprocess.run(
        [str(AWS_CLI.parent / "python"), str(PARSER), str(file)],
        cwd=folder,
        env={"AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": "/dev/null"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    told: list[str | None] = json.loads(done.stdout)
    return told


def test_the_parser_tells_right_from_wrong(tmp_path: Path) -> None:
    right = ["sqs", "purge-queue", "--queue-url", "x"]
    wrong = [
        ["sqs", "purge-queue"],
        ["sqs", "purge-queue", "--queue-url", "x", "--follow"],
        ["logs", "tail", "group"],
        ["logs", "filter-log-events", "--log-group-name", "x", "--start-time", "yesterday"],
        ["lambda", "invoke", "--function-name", "x", "--cli-binary-format", "y", "/dev/stdout"],
        ["s3", "cp", "one"],
    ]
    told = complaints([right, *wrong], tmp_path)
    assert told[0] is None
    assert all(told[1:])


def test_each_command_runs_with_the_pinned_cli(
    commands: dict[str, list[list[str]]], tmp_path: Path
) -> None:
    found = [(page, c) for page, many in commands.items() for c in many if not only_named(c)]
    assert len(found) > 40
    told = complaints([command for _page, command in found], tmp_path)
    wrong = [
        f"{page}: aws {' '.join(command)}: {said}"
        for (page, command), said in zip(found, told, strict=True)
        if said
    ]
    assert wrong == []


def test_an_operation_that_is_only_named_exists(
    commands: dict[str, list[list[str]]], tmp_path: Path
) -> None:
    found = [c for many in commands.values() for c in many if only_named(c)]
    # Without its options it may be refused, but not as unknown.
    told = complaints(found, tmp_path)
    assert [c for c, said in zip(found, told, strict=True) if said and UNKNOWN in said] == []


def test_a_payload_means_the_same_to_version_2(commands: dict[str, list[list[str]]]) -> None:
    """Version 2 takes a literal as base64, and a file by fileb:// as it is, as version 1 does.

    AWS CLI v2 migration guide, "binary parameters are passed as base64-encoded strings".
    """
    payloads = [
        (page, command[command.index("--payload") + 1])
        for page, many in commands.items()
        for command in many
        if "--payload" in command
    ]
    assert payloads
    assert [item for item in payloads if not item[1].startswith("fileb://")] == []
