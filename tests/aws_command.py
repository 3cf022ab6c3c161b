"""The commands of the AWS CLI that the pages use, for the tests that run them: `python -m tests.aws_command …`."""

from __future__ import annotations

import json
import sys

import boto3
import jmespath

from tests.docs_commands import aws_call


def main(words: list[str]) -> None:
    """Send the request of a command, as the AWS CLI does, and print the response."""
    if words == ["s3", "ls"]:
        for bucket in boto3.client("s3").list_buckets()["Buckets"]:
            print(bucket["Name"])
        return
    service, method, parameters = aws_call(["aws", *words])
    client = boto3.client(service)  # type: ignore[call-overload] # literal types
    response = getattr(client, method)(**parameters)
    if "--query" in words:
        response = jmespath.search(words[words.index("--query") + 1], response)
    print(json.dumps(response, default=str))


if __name__ == "__main__":
    main(sys.argv[1:])
