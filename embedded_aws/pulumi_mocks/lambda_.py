"""Lambda functions, layers, permissions, event source mappings, and invocations by a program."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pulumi

from embedded_aws.pulumi_mocks.resource import Create, Created, Resource, ResourceError


def _function(resource: Resource) -> Created:
    arguments = resource.arguments
    name = resource.physical_name(longest=64)
    request = arguments.request(
        "role",
        "runtime",
        "handler",
        "description",
        "timeout",
        "memorySize",
        "layers",
        "architectures",
        "packageType",
        "publish",
        "deadLetterConfig",
        "ephemeralStorage",
        "fileSystemConfigs",
        "loggingConfig",
        "snapStart",
        "tracingConfig",
        "vpcConfig",
        kmsKeyArn="KMSKeyArn",
    )
    if environment := arguments.block("environment"):
        request["Environment"] = {"Variables": environment.take("variables", {})}
    functions = resource.account.client("lambda")
    created = functions.create_function(
        FunctionName=name, Code={"ZipFile": _archive(arguments.take("code"))}, Tags=resource.tags(), **request
    )
    reserved = arguments.take("reservedConcurrentExecutions", -1)
    if reserved >= 0:
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    arn = created["FunctionArn"]
    return name, {
        "arn": arn,
        "codeSha256": created["CodeSha256"],
        "invokeArn": f"arn:aws:apigateway:{resource.account.region}:lambda:path/2015-03-31/functions/{arn}/invocations",
        "lastModified": created["LastModified"],
        "name": name,
        "qualifiedArn": f"{arn}:$LATEST",
        "sourceCodeSize": created["CodeSize"],
        "version": "$LATEST",
    }


def _layer_version(resource: Resource) -> Created:
    arguments = resource.arguments
    request = arguments.request(
        "layerName", "compatibleArchitectures", "compatibleRuntimes", "description", "licenseInfo"
    )
    created = resource.account.client("lambda").publish_layer_version(
        Content={"ZipFile": _archive(arguments.take("code"))}, **request
    )
    arn = created["LayerVersionArn"]
    return arn, {
        "arn": arn,
        "codeSha256": created["Content"]["CodeSha256"],
        "createdDate": created["CreatedDate"],
        "layerArn": arn.rpartition(":")[0],
        "sourceCodeSize": created["Content"]["CodeSize"],
        "version": str(created["Version"]),
    }


def _permission(resource: Resource) -> Created:
    statement = resource.physical_name("statementId", longest=100)
    request = resource.arguments.request(
        "action",
        "eventSourceToken",
        "functionUrlAuthType",
        "principal",
        "qualifier",
        "sourceAccount",
        "sourceArn",
        function="FunctionName",
        principalOrgId="PrincipalOrgID",
    )
    resource.account.client("lambda").add_permission(StatementId=statement, **request)
    return statement, {"statementId": statement}


def _event_invoke_config(resource: Resource) -> Created:
    request = resource.arguments.request(
        "functionName", "qualifier", "maximumRetryAttempts", "maximumEventAgeInSeconds", "destinationConfig"
    )
    resource.account.client("lambda").put_function_event_invoke_config(**request)
    return request["FunctionName"], {}


def _event_source_mapping(resource: Resource) -> Created:
    request = resource.arguments.request(
        "batchSize",
        "bisectBatchOnFunctionError",
        "destinationConfig",
        "enabled",
        "eventSourceArn",
        "filterCriteria",
        "functionName",
        "functionResponseTypes",
        "maximumBatchingWindowInSeconds",
        "maximumRecordAgeInSeconds",
        "maximumRetryAttempts",
        "metricsConfig",
        "parallelizationFactor",
        "scalingConfig",
        "startingPosition",
        "tumblingWindowInSeconds",
        kmsKeyArn="KMSKeyArn",
    )
    created = resource.account.client("lambda").create_event_source_mapping(Tags=resource.tags(), **request)
    return created["UUID"], {
        "arn": resource.account.arn("lambda", f"event-source-mapping:{created['UUID']}"),
        "functionArn": created["FunctionArn"],
        "state": created["State"],
        "uuid": created["UUID"],
    }


def _invocation(resource: Resource) -> Created:
    """Invoke a function as a resource of the scope `CREATE_ONLY` does: once, failing if the function fails.

    Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_invocation.
    """
    arguments = resource.arguments
    scope = arguments.take("lifecycleScope", "CREATE_ONLY")
    if scope != "CREATE_ONLY":
        raise ResourceError(
            f"its lifecycle scope is {scope}, and only CREATE_ONLY is supported: nothing is updated or deleted here"
        )
    function, qualifier = arguments.take("functionName"), arguments.take("qualifier", "$LATEST")
    event = str(arguments.take("input"))
    try:
        json.loads(event)
    except ValueError as error:
        raise ResourceError(f"its input is not JSON: {error}") from error
    answer = resource.account.client("lambda").invoke(FunctionName=function, Qualifier=qualifier, Payload=event)
    result = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        failure = json.loads(result)
        raise ResourceError(f"the function {function} failed: {failure['errorType']}: {failure['errorMessage']}")
    digest = hashlib.md5(event.encode(), usedforsecurity=False).hexdigest()
    return f"{function}_{qualifier}_{digest}", {"result": result}


def _archive(code: Any) -> bytes:
    """Return the bytes of a zip archive; a folder is zipped."""
    if not isinstance(code, pulumi.FileArchive):
        raise ResourceError(f"its code is a {type(code).__name__} and only a FileArchive is supported")
    path = Path(code.path)
    if path.is_file():
        return path.read_bytes()
    if not path.is_dir():
        raise ResourceError(f"its code {path} does not exist")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(path))
    return content.getvalue()


RESOURCES: dict[str, Create] = {
    "aws:lambda/eventSourceMapping:EventSourceMapping": _event_source_mapping,
    "aws:lambda/function:Function": _function,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _event_invoke_config,
    "aws:lambda/invocation:Invocation": _invocation,
    "aws:lambda/layerVersion:LayerVersion": _layer_version,
    "aws:lambda/permission:Permission": _permission,
}

NOT_APPLIED = {
    "aws:lambda/invocation:Invocation": {
        "triggers": "tells Pulumi when to invoke the function again; every deployment into the embedded AWS does",
    },
    "aws:lambda/function:Function": {
        "sourceCodeHash": "tells Pulumi when to upload new code; it is not a property of the function",
        "skipDestroy": "affects only deletion, and the embedded AWS is deleted as a whole",
    },
    "aws:lambda/layerVersion:LayerVersion": {
        "sourceCodeHash": "tells Pulumi when to upload a new version; it is not a property of the layer",
        "skipDestroy": "affects only deletion, and the embedded AWS is deleted as a whole",
    },
}
