"""Reads template.yaml for the local stack: routes, functions and queues."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from local.home import PROJECT

TEMPLATE = PROJECT / "template.yaml"

# A Lambda handler: called with an event and a context, returns JSON.
Handler = Callable[[dict[str, Any], object], Any]


@dataclass(frozen=True)
class Function:
    """A function of the template: logical id, dotted path of the handler, time limit and memory."""

    name: str
    handler: str
    timeout_seconds: int
    memory_mb: int = 128  # Lambda's default

    def load(self) -> Handler:
        """Import the handler."""
        module, _, name = self.handler.rpartition(".")
        handler: Handler = getattr(importlib.import_module(module), name)
        return handler


@dataclass(frozen=True)
class Route:
    """A route of the HTTP API, with its path as in the template (`/jobs/{job_id}`).

    Without a method it is the route $default, which matches every other request.
    """

    method: str | None
    path: str
    function: Function

    @property
    def key(self) -> str:
        """API Gateway's name of the route."""
        return self.path if self.method is None else f"{self.method} {self.path}"

    def match(self, method: str, raw_path: str) -> dict[str, str] | None:
        """Return the path parameters if a request with this method and (percent-encoded) path matches, or None."""
        if self.method is None:
            return {}
        if method != self.method:
            return None
        pattern = "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", self.path)
        )
        match = re.fullmatch(pattern, raw_path)
        return None if match is None else {name: unquote(value) for name, value in match.groupdict().items()}


@dataclass(frozen=True)
class Consumer:
    """A function that reads a queue, and its batch size."""

    function: Function
    batch_size: int


class _Loader(yaml.SafeLoader):
    """A YAML loader for the template: references become the name they refer to, other CloudFormation functions None."""


def _referred(loader: _Loader, node: yaml.ScalarNode) -> str:
    return loader.construct_scalar(node)


_Loader.add_constructor("!Ref", _referred)
_Loader.add_constructor("!GetAtt", _referred)
_Loader.add_multi_constructor("!", lambda _loader, _tag, _node: None)


@dataclass(frozen=True)
class Template:
    """The routes, with $default last, and the consumers by the logical id of their queue."""

    routes: list[Route]
    consumers: dict[str, Consumer]

    @classmethod
    def read(cls, path: Path = TEMPLATE) -> Template:
        """Read a SAM template.

        Raises TypeError for a function without a handler, ValueError if no function reads a queue.
        """
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  # derived from SafeLoader
        routes: list[Route] = []
        consumers: dict[str, Consumer] = {}
        for name, resource in document["Resources"].items():
            if resource["Type"] != "AWS::Serverless::Function":
                continue
            properties = resource["Properties"]
            memory_mb = _memory_mb(properties, document.get("Parameters", {}))
            function = Function(name, _handler(name, properties), int(properties["Timeout"]), memory_mb)
            for event in properties.get("Events", {}).values():
                if event["Type"] == "HttpApi":
                    properties = event["Properties"]
                    routes.append(Route(properties.get("Method"), properties.get("Path", "$default"), function))
                elif event["Type"] == "SQS":
                    queue = event["Properties"]["Queue"].removesuffix(".Arn")
                    consumers[queue] = Consumer(function, int(event["Properties"].get("BatchSize", 10)))
        if not consumers:
            raise ValueError(f"{path} must have at least one function that reads a queue")
        return cls(sorted(routes, key=lambda route: route.method is None), consumers)


def _handler(name: str, properties: Mapping[str, Any]) -> str:
    """Dotted path of the handler, for a zip and for an image."""
    command = properties.get("ImageConfig", {}).get("Command", [None])
    handler = properties.get("Handler") or command[0]
    if not isinstance(handler, str):
        raise TypeError(f"{name} has neither a Handler nor an ImageConfig.Command")
    return handler


def _memory_mb(properties: Mapping[str, Any], parameters: Mapping[str, Any]) -> int:
    """The memory in the template, or the default of the parameter that it refers to."""
    size = properties.get("MemorySize", Function.memory_mb)
    return int(parameters[size]["Default"] if isinstance(size, str) else size)
