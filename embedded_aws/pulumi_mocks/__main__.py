"""The process that runs a Pulumi program: a task as JSON on standard input, the result as the last line of output."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path


def main() -> None:
    """Run the program that standard input names."""
    # The classes of a provider are many and stay; looking through them for garbage takes a sixth of a program's CPU.
    gc.disable()
    from embedded_aws.pulumi_mocks.configuration import StackConfigError, read_configuration  # noqa: PLC0415 - see above
    from embedded_aws.pulumi_mocks.program import ProgramError, run  # noqa: PLC0415 - likewise

    task = json.load(sys.stdin)
    project = Path(task["project"])
    warnings: list[str] = []
    outputs, error = {}, None
    try:
        name, config = read_configuration(project, task["stack"], task["config"])
        outputs = run(project, name, task["stack"], config, warnings)
    except (StackConfigError, ProgramError) as failed:
        error = str(failed)
    print("\n" + json.dumps({"outputs": outputs, "error": error, "warnings": warnings}))


main()
