"""`make test-aws`: the acceptance suite in the AWS account of the environment's credentials."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
from pulumi import automation

from cli.status.cost import CRAWL_MINIMUM_HOURS, DPU_HOUR
from embedded_aws.iam.credentials import AwsCredentials
from tests.acceptance.account import SETTINGS
from tests.acceptance.suite import Difference, run_suite
from tests.acceptance.trouble import explain
from tests.pipeline.program import ROOT

FOLDER = ROOT / ".local" / "acceptance"
PASSPHRASE = "acceptance"
"""Protects nothing: the throw-away stack has no secrets."""


_CRAWL = 2 * CRAWL_MINIMUM_HOURS * DPU_HOUR
"""US dollars, with two DPU."""
_WAIT_SECONDS = 10
_DESTROY_TRIES = 30
_CHANGES_PER_LINE = 20


def main() -> int:
    """Ask, run the suite, and print what AWS did otherwise than expected."""
    if shutil.which("pulumi") is None:
        return _stop("Pulumi's command is missing: install it (pulumi.com/docs/install), and try again.")
    name = f"acceptance-{secrets.token_hex(3)}"
    try:
        # Pulumi's provider reads the first variable, boto3 only AWS_DEFAULT_REGION and its files.
        region = os.environ.get("AWS_REGION") or boto3.Session().region_name
        if not region:
            raise NoRegionError
        who = boto3.client("sts", region_name=region).get_caller_identity()
        print(
            f"This costs less than one dollar, of which the crawl is {_CRAWL:.2f}, and takes a while: AWS creates a\n"
            "whole stack, crawls, and deletes all of it again.\n"
            f"It deploys a throw-away stack, {name}, to {region} in the account {who['Account']}\n"
            f"as {who['Arn']},\n"
            "runs the pipeline once with recorded data, and destroys the stack, which it also does after Ctrl-C."
        )
        if not _agreed():
            return _stop("Nothing was deployed.")
        account = _RealAccount(name, region)
    except (BotoCoreError, ClientError, automation.CommandError) as error:
        return _stop(explain(error))
    return _report(run_suite(account, print), name)


def _report(differences: list[Difference], name: str) -> int:
    """Print what was otherwise than expected, and how to destroy a stack that may still exist."""
    if not differences:
        print("AWS did everything as expected.")
        return 0
    print(f"{len(differences)} {'thing was' if len(differences) == 1 else 'things were'} otherwise than expected:")
    for difference in differences:
        print(f"- {difference.step}: {difference.what}")
    if any(difference.step == "Destroy" for difference in differences):
        print(
            "The stack may still exist. To destroy it:\n"
            f"  cd {FOLDER / name}\n"
            f"  export PULUMI_BACKEND_URL=file://{FOLDER} PULUMI_CONFIG_PASSPHRASE={PASSPHRASE}\n"
            f"  pulumi cancel --yes --stack {name}\n"
            f"  pulumi destroy --yes --stack {name}"
        )
    return 1


def _agreed() -> bool:
    """Return whether the user wants it; no answer is a no."""
    try:
        return input("Type yes to start: ").strip() == "yes"
    except (EOFError, KeyboardInterrupt):
        print()
        return False


class _RealAccount:
    """An account of AWS, with a stack whose state is below `.local/acceptance/`."""

    def __init__(self, name: str, region: str) -> None:
        self._region = region
        work = FOLDER / name
        work.mkdir(parents=True)
        shutil.copy(ROOT / "Pulumi.yaml", work)
        self._stack = automation.create_stack(
            name,
            project_name="spotify-etl",
            program=_program,
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(work),
                env_vars={"PULUMI_BACKEND_URL": f"file://{FOLDER}", "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE},
            ),
        )
        self._stack.set_config("aws:region", automation.ConfigValue(region))
        for key, value in SETTINGS.items():
            self._stack.set_config(f"spotify-etl:{key}", automation.ConfigValue(value))

    def deploy(self) -> dict[str, Any]:
        outputs = self._stack.up(on_output=_counting("created")).outputs
        return {name: output.value for name, output in outputs.items()}

    def client(self, service: str, credentials: AwsCredentials | None = None) -> Any:
        session = boto3.Session(
            aws_access_key_id=credentials.access_key_id if credentials else None,
            aws_secret_access_key=credentials.secret_access_key if credentials else None,
            aws_session_token=credentials.session_token if credentials else None,
            region_name=self._region,
        )
        # Athena answers only a few requests a second.
        config = Config(retries={"mode": "standard", "total_max_attempts": 8})
        return session.client(service, config=config)  # type: ignore[call-overload] # the stubs have a literal type for service names

    def wait(self) -> None:
        time.sleep(_WAIT_SECONDS)

    def destroy(self) -> None:
        for _ in range(_DESTROY_TRIES):
            try:
                self._stack.destroy(on_output=_counting("deleted"))
            except automation.ConcurrentUpdateError:
                # A deployment that was interrupted is still ending.
                self.wait()
            else:
                return
        self._stack.cancel()
        self._stack.destroy(on_output=_counting("deleted"))


def _counting(word: str) -> Callable[[str], None]:
    """Return what takes Pulumi's lines, and prints now and then how many resources are done."""
    done = 0

    def take(line: str) -> None:
        nonlocal done
        if f" {word} (" in line:
            done += 1
            if done % _CHANGES_PER_LINE == 0:
                print(f"  {done} resources {word}")

    return take


def _program() -> None:
    """Run the program with the constant changed by hand, as docs/deploy.md says."""
    os.chdir(ROOT)
    text = (ROOT / "__main__.py").read_text(encoding="utf-8")
    changed = text.replace("ALLOW_DATA_LOSS = False", "ALLOW_DATA_LOSS = True")
    exec(compile(changed, "__main__.py", "exec"), {"__name__": "__main__"})  # noqa: S102 - the project's own program


def _stop(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
