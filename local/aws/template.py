"""What the local stack takes from template.yaml: which function answers which route, and how its queue is read."""

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

# A Lambda handler: an event and a context in, whatever JSON knows out.
Handler = Callable[[dict[str, Any], object], Any]


@dataclass(frozen=True)
class Function:
    """One function of the template: its logical id, the dotted path of its handler, its time limit and its memory."""

    name: str
    handler: str
    timeout_seconds: int
    memory_mb: int = 128  # Lambda's own default

    def load(self) -> Handler:
        """Import the handler."""
        module, _, name = self.handler.rpartition(".")
        handler: Handler = getattr(importlib.import_module(module), name)
        return handler


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API, with its path as the template writes it (`/jobs/{job_id}`).

    Without a method it is the route $default, which takes whatever no other route takes.
    """

    method: str | None
    path: str
    function: Function

    @property
    def key(self) -> str:
        """What API Gateway calls the route."""
        return self.path if self.method is None else f"{self.method} {self.path}"

    def match(self, method: str, raw_path: str) -> dict[str, str] | None:
        """Return the path parameters if a request with this method and (still encoded) path is for this route."""
        if self.method is None:
            return {}
        if method != self.method:
            return None
        pattern = "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", self.path)
        )
        found = re.fullmatch(pattern, raw_path)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


@dataclass(frozen=True)
class Consumer:
    """A function that reads a queue, and how many messages it takes at once."""

    function: Function
    batch_size: int


class _Loader(yaml.SafeLoader):
    """Reads the template: a reference as what it names, and nothing for what only CloudFormation can know."""


def _referred(loader: _Loader, node: yaml.ScalarNode) -> str:
    return loader.construct_scalar(node)


_Loader.add_constructor("!Ref", _referred)
_Loader.add_constructor("!GetAtt", _referred)
_Loader.add_multi_constructor("!", lambda _loader, _tag, _node: None)


@dataclass(frozen=True)
class Template:
    """The routes, $default last, and the consumers by the logical id of the queue that each reads."""

    routes: list[Route]
    consumers: dict[str, Consumer]

    @classmethod
    def read(cls, path: Path = TEMPLATE) -> Template:
        """Read a SAM template.

        Raises TypeError for a function without a handler, ValueError where no function reads a queue.
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
                    where = event["Properties"]
                    routes.append(Route(where.get("Method"), where.get("Path", "$default"), function))
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
    """Memory as it stands there, or the default of the parameter that it refers to."""
    size = properties.get("MemorySize", Function.memory_mb)
    return int(parameters[size]["Default"] if isinstance(size, str) else size)
