"""Parse commands of the AWS CLI with its own parser, and call nothing.

Runs on the interpreter of the pinned CLI: `python parse_aws.py FILE`, where FILE is a JSON list of
argument lists. Prints a JSON list with what is wrong with each, null where nothing is.
"""

import contextlib
import io
import json
import pathlib
import sys

from awscli import clidriver
from awscli.customizations.s3 import subcommands
from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator


class Parsed(BaseException):
    """The command is whole: next, it would be sent."""


class Caller(clidriver.CLIOperationCaller):
    """Validates parameters, as the client does before it sends them."""

    def invoke(self, service_name, operation_name, parameters, parsed_globals):
        service = self._session.get_service_model(service_name)
        shape = service.operation_model(operation_name).input_shape
        # What is for the client's pages, and no part of the operation.
        parameters = {key: parameters[key] for key in parameters if key != "PaginationConfig"}
        if shape is not None:
            report = ParamValidator().validate(parameters, shape)
            if report.has_errors():
                raise ParamValidationError(report=report.generate_report())
        raise Parsed


def parsed(*_arguments):
    raise Parsed


def wrong(driver, arguments):
    """Return what the CLI says against a command, None where it would send it."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            driver.main(arguments)
        except Parsed:
            return None
        except SystemExit:
            pass
    return said.getvalue().strip().splitlines()[-1]


def main():
    clidriver.CLIOperationCaller = Caller
    for command in (subcommands.S3TransferCommand, subcommands.ListCommand):
        command._run_main = parsed
    driver = clidriver.create_clidriver()
    commands = json.loads(pathlib.Path(sys.argv[1]).read_text())
    print(json.dumps([wrong(driver, arguments) for arguments in commands]))


if __name__ == "__main__":
    main()
