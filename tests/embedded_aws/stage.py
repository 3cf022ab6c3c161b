"""An empty embedded AWS, and calls that the tests share."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from embedded_aws import EmbeddedAws, Step
from embedded_aws.services.lambda_.runtimes import OWN_RUNTIME

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
ACCOUNT = "123456789012"
REGION = "eu-central-1"


class Stage(EmbeddedAws):
    """An empty account, at a simulated moment."""

    def __init__(
        self, folder: Path, start: datetime = START, data: Path | None = None, *, any_python: bool = False
    ) -> None:
        super().__init__(folder, start=start, region=REGION, data=data, any_python=any_python)
        self.folder = folder

    def run_for(self, **span: float) -> None:
        self.run_until(self.now + timedelta(**span))

    def steps(self, *kinds: str) -> list[Step]:
        return [step for step in self.log if step.kind in kinds]

    def role(self, name: str, service: str, *statements: dict[str, Any]) -> str:
        """Create a role that a service may assume, with an inline policy."""
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
        self.allow(name, *statements)
        return arn

    def allow(self, role: str, *statements: dict[str, Any]) -> None:
        """Replace the inline policy of a role; no statements means no permissions."""
        if statements:
            self.client("iam").put_role_policy(
                RoleName=role,
                PolicyName="inline",
                PolicyDocument=_policy(*({"Effect": "Allow", **one} for one in statements)),
            )

    def function(self, name: str, code: str, *, lock: str | None = None, **settings: Any) -> str:
        """Create a function of one module, `main.handler`, with a role that may log and use every queue."""
        role = settings.pop("Role", None) or self.role(
            f"{name}-role", "lambda.amazonaws.com", {"Action": ["logs:*", "sqs:*"], "Resource": "*"}
        )
        if lock is not None:
            layer = self.client("lambda").publish_layer_version(
                LayerName=f"{name}-layer", Content={"ZipFile": zipped({"requirements.lock": lock})}
            )
            settings["Layers"] = [layer["LayerVersionArn"]]
        created = self.client("lambda").create_function(
            FunctionName=name,
            Role=role,
            Handler="main.handler",
            Code={"ZipFile": zipped({"main.py": textwrap.dedent(code)})},
            **{"Runtime": OWN_RUNTIME, "Timeout": 20, "MemorySize": 512, **settings},
        )
        arn: str = created["FunctionArn"]
        return arn

    def invoke(self, name: str, event: object = None) -> Any:
        """Invoke through the API and return the response with its payload parsed."""
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        return {**answer, "Payload": json.loads(answer["Payload"].read())}

    def queue(self, name: str, **attributes: Any) -> tuple[str, str]:
        """Create a queue and return its URL and ARN."""
        given = {key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()}
        url: str = self.client("sqs").create_queue(QueueName=name, Attributes=given)["QueueUrl"]
        return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def messages(self, url: str) -> list[Any]:
        """Return the messages that can be received from a queue now."""
        answer = self.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
        )
        return list(answer.get("Messages", []))

    def logged(self, group: str) -> list[str]:
        """Return every line in a log group."""
        events = self.client("logs").filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in events]


def zipped(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
