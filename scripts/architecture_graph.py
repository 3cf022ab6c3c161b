# ruff: noqa: INP001 - a script, no package
"""`make architecture`: draws the graph in docs/architecture.md from what the program registers with Pulumi.

`scripts/failure_paths.py` writes the table of failures there.

Data flow is drawn from event sources, targets and the functions' policies, failures from dead-letter queues and
destinations. IAM roles and the settings of buckets are left out: they would hide the flow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.marked_part import with_part
from tests.pipeline.aws_resources import created
from tests.pipeline.program import Program, Resource, run

PAGE = Path(__file__).parents[1] / "docs" / "architecture.md"

# Kind of resource → its name in the drawing and the shape of its node in Mermaid.
_SHAPES = {
    "Schedule": ("schedule", "([", "])"),
    "Function": ("Lambda function", "[", "]"),
    "Bucket": ("bucket", "[(", ")]"),
    "Queue": ("queue", "[[", "]]"),
    "Secret": ("secret", "[/", "/]"),
    "Crawler": ("crawler", "[", "]"),
    "CatalogDatabase": ("Glue database", "[(", ")]"),
    "EventRule": ("event rule", "([", "])"),
    "Topic": ("topic", "([", "])"),
    "Workgroup": ("Athena workgroup", "[", "]"),
    "Invocation": ("deployment", "([", "])"),
}
_WRITES = {"s3:PutObject", "glue:CreateTable"}
_READS = {"s3:GetObject", "secretsmanager:GetSecretValue"}


@dataclass(frozen=True, order=True)
class Edge:
    """An arrow between two resources, by their keys."""

    source: str
    target: str
    label: str = ""
    on_failure: bool = False


def page_with_graph(text: str, program: Program) -> str:
    """Return the page with the graph drawn again."""
    return with_part(text, "graph", "make architecture", f"```mermaid\n{graph(program)}```")


def graph(program: Program) -> str:
    """Return the graph in Mermaid's language."""
    nodes = [resource for kind in _SHAPES for _, resource in sorted(program.all(kind).items())]
    drawing = sorted(set(edges(program)))
    return "\n".join(("flowchart LR", *map(_node, nodes), *map(_edge, drawing), ""))


def edges(program: Program) -> Iterator[Edge]:
    """Yield the arrows of a program."""
    names = Names(program)
    for arrows in (_schedules, _queues, _functions, _rules, _analytics):
        yield from arrows(program, names)


def _schedules(program: Program, names: Names) -> Iterator[Edge]:
    for schedule in program.all("Schedule").values():
        target = schedule.inputs["target"]
        yield Edge(resource_key(schedule), names.find(target["arn"], target.get("input", "")))
        yield _dead_letters(schedule, target, names)


def _queues(program: Program, names: Names) -> Iterator[Edge]:
    for notification in program.all("BucketNotification").values():
        for queue in notification.inputs["queues"]:
            yield Edge(names.find(notification.inputs["bucket"]), names.find(queue["queueArn"]), "new object")
    for mapping in program.all("EventSourceMapping").values():
        yield Edge(names.find(mapping.inputs["eventSourceArn"]), names.find(mapping.inputs["functionName"]), "batches")
    for queue in program.all("Queue").values():
        if "redrivePolicy" in queue.inputs:
            policy = json.loads(queue.inputs["redrivePolicy"])
            label = f"after {policy['maxReceiveCount']} tries"
            yield Edge(resource_key(queue), names.find(policy["deadLetterTargetArn"]), label, on_failure=True)


def _functions(program: Program, names: Names) -> Iterator[Edge]:
    for config in program.all("FunctionEventInvokeConfig").values():
        destination = config.inputs["destinationConfig"]["onFailure"]["destination"]
        yield Edge(names.find(config.inputs["functionName"]), names.find(destination), on_failure=True)
    for invocation in program.all("Invocation").values():
        yield Edge(resource_key(invocation), names.find(invocation.inputs["functionName"]))
    for function in program.all("Function").values():
        yield from _data(function, program.one("RolePolicy", function.name), names)


def _rules(program: Program, names: Names) -> Iterator[Edge]:
    for rule in program.all("EventRule").values():
        pattern = json.loads(rule.inputs["eventPattern"])
        yield Edge(
            names.find(pattern["detail"]["crawlerName"][0]), resource_key(rule), pattern["detail"]["state"][0].lower()
        )
    for target in program.all("EventTarget").values():
        yield Edge(names.find(target.inputs["rule"]), names.find(target.inputs["arn"]))
        if "deadLetterConfig" in target.inputs:
            yield _dead_letters(program.one("EventRule", target.name), target.inputs, names)


def _analytics(program: Program, names: Names) -> Iterator[Edge]:
    for crawler in program.all("Crawler").values():
        for place in crawler.inputs["s3Targets"]:
            yield Edge(names.find(place["path"]), resource_key(crawler))
        yield Edge(resource_key(crawler), names.find(crawler.inputs["databaseName"]))
    for workgroup in program.all("Workgroup").values():
        for database in program.all("CatalogDatabase").values():
            yield Edge(resource_key(database), resource_key(workgroup))
        results = workgroup.inputs["configuration"]["resultConfiguration"]["outputLocation"]
        yield Edge(resource_key(workgroup), names.find(results), "results")


def _data(function: Resource, policy: Resource, names: Names) -> Iterator[Edge]:
    """Yield what a function reads and writes, as its policy allows."""
    for statement in json.loads(policy.inputs["policy"])["Statement"]:
        for resource in statement["Resource"]:
            other = names.find_or_none(resource)
            if other is None:
                continue
            if _WRITES & set(statement["Action"]):
                yield Edge(resource_key(function), other)
            elif _READS & set(statement["Action"]):
                yield Edge(other, resource_key(function))


def _dead_letters(source: Resource, target: dict[str, Any], names: Names) -> Edge:
    return Edge(resource_key(source), names.find(target["deadLetterConfig"]["arn"]), on_failure=True)


class Names:
    """Finds the resource that a text such as an ARN mentions."""

    def __init__(self, program: Program) -> None:
        self._known: dict[str, str] = {}
        for kind in _SHAPES:
            for resource in program.all(kind).values():
                identity, state = created(resource.token, resource.name, resource.inputs)
                for name in (identity, state.get("name"), state.get("arn")):
                    if name:
                        self._known.setdefault(str(name), resource_key(resource))

    def find(self, *texts: str) -> str:
        """Return the key of the resource that one of the texts mentions.

        Raises:
            LookupError: none does.
        """
        for text in texts:
            if found := self.find_or_none(text):
                return found
        raise LookupError(f"No resource of the drawing is mentioned in {texts}.")

    def find_or_none(self, text: str) -> str | None:
        """Return the key of the mentioned resource with the longest name; None if none is mentioned."""
        if text in self._known:
            return self._known[text]
        mentioned = [name for name in self._known if _mentions(text, name)]
        return self._known[max(mentioned, key=len)] if mentioned else None


def _mentions(text: str, name: str) -> bool:
    parts = text.replace("s3://", "/").replace('"', "/").replace(":::", "/").split("/")
    return name in parts or text.startswith(f"{name}/")


def resource_key(resource: Resource) -> str:
    """Return the key of a resource in the drawing."""
    return f"{resource.token.rsplit(':', 1)[1]}_{resource.name.replace('-', '_')}"


def _node(resource: Resource) -> str:
    title, left, right = _SHAPES[resource.token.rsplit(":", 1)[1]]
    name = resource.name.removeprefix("spotify-etl-")
    text = title if resource.name == "spotify-etl" else f"{title}<br/>{name}"
    return f'  {resource_key(resource)}{left}"{text}"{right}'


def _edge(edge: Edge) -> str:
    arrow = "-.->" if edge.on_failure else "-->"
    label = f'|"{edge.label}"|' if edge.label else ""
    return f"  {edge.source} {arrow}{label} {edge.target}"


if __name__ == "__main__":
    PAGE.write_text(page_with_graph(PAGE.read_text("utf-8"), run()), "utf-8")
