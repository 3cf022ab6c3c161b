"""A fake of Pulumi's AWS provider: keeps resources in a file, and rejects types that it does not know.

Pulumi starts it as `pulumi-resource-aws` and speaks to it over gRPC:
https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto.
"""

# ruff: noqa: ARG002, N802 the names and arguments of the calls are the protocol's

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.pipeline.aws_resources import created, is_replaced_by, name_property

STORE_VARIABLE = "SPOTIFY_ETL_TEST_CLOUD"
"""Name of the variable with the path of the cloud's file: id → token, inputs and state of each resource, as JSON."""

Properties = dict[str, Any]


class Cloud:
    """The existing resources, shared by the provider's processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def resources(self) -> dict[str, Properties]:
        """Return every resource by type and id."""
        resources: dict[str, Properties] = json.loads(self._path.read_text()) if self._path.exists() else {}
        return resources

    def put(self, key: str, state: Properties) -> None:
        """Store a resource."""
        with self._lock:
            self._path.write_text(json.dumps(self.resources() | {key: state}))

    def note_configuration(self, variables: dict[str, str]) -> None:
        """Store what the provider was configured with, beside the resources."""
        self._path.with_suffix(".configuration").write_text(json.dumps(variables))

    def remove(self, key: str) -> None:
        """Remove a resource, which must exist."""
        with self._lock:
            resources = self.resources()
            del resources[key]
            self._path.write_text(json.dumps(resources))


class AwsProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The calls that Pulumi's engine makes."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="7.51.1")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse()

    def Configure(self, request: Any, context: Any) -> Any:
        self.cloud.note_configuration(dict(request.variables))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        news, olds = read(request.news), read(request.olds)
        name = name_property(request.type)
        if name and name not in news:
            # Autonaming: once given, a name stays.
            news[name] = olds.get(name, f"{request.name}-{request.randomSeed.hex()[:7]}")
        return provider_pb2.CheckResponse(inputs=written(news))

    def Diff(self, request: Any, context: Any) -> Any:
        olds, news = (_without_paths(read(struct)) for struct in (request.old_inputs, request.news))
        changed = sorted(name for name in olds.keys() | news.keys() if olds.get(name) != news.get(name))
        kinds = provider_pb2.DiffResponse
        return kinds(
            changes=kinds.DIFF_SOME if changed else kinds.DIFF_NONE,
            diffs=changed,
            replaces=[name for name in changed if is_replaced_by(request.type, name)],
        )

    def Create(self, request: Any, context: Any) -> Any:
        inputs = read(request.properties)
        if request.preview:
            # Without an id and without what AWS would compute: these are unknown to the program.
            return provider_pb2.CreateResponse(properties=request.properties)
        identity, state = created(request.type, request.name, inputs)
        self.cloud.put(f"{request.type} {identity}", state)
        return provider_pb2.CreateResponse(id=identity, properties=written(state))

    def Read(self, request: Any, context: Any) -> Any:
        state = self.cloud.resources().get(f"{request.type} {request.id}")
        if state is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, properties=written(state), inputs=request.inputs)

    def Update(self, request: Any, context: Any) -> Any:
        if request.preview:
            # What AWS computed, such as an ARN, stays.
            return provider_pb2.UpdateResponse(properties=written(read(request.olds) | read(request.news)))
        _, state = created(request.type, request.name, read(request.news))
        self.cloud.put(f"{request.type} {request.id}", state)
        return provider_pb2.UpdateResponse(properties=written(state))

    def Delete(self, request: Any, context: Any) -> Any:
        self.cloud.remove(f"{request.type} {request.id}")
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{request.tok} is not a function that the tests know.")

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def main() -> None:
    """Serve until Pulumi ends the process; the first line of output is the port."""
    server = grpc.server(ThreadPoolExecutor(4))
    cloud = Cloud(Path(os.environ[STORE_VARIABLE]))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(AwsProvider(cloud), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


def read(struct: struct_pb2.Struct) -> Properties:
    """Return properties as the engine sends them."""
    properties: Properties = json_format.MessageToDict(struct)
    return properties


def _without_paths(properties: Properties) -> Properties:
    """Return properties in which an archive is its hash, wherever it lies."""
    return {
        name: {**value, "path": ""} if isinstance(value, dict) and {"hash", "path"} <= value.keys() else value
        for name, value in properties.items()
    }


def written(properties: Properties) -> struct_pb2.Struct:
    """Return properties as the engine takes them."""
    return json_format.ParseDict(properties, struct_pb2.Struct())


if __name__ == "__main__":
    main()
