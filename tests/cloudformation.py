"""Read template.yaml as plain data, with CloudFormation functions in their long form."""

from __future__ import annotations

from typing import Any

import yaml

from local.aws.template import TEMPLATE


class _Loader(yaml.SafeLoader):
    """Reads `!Sub x` as {"Fn::Sub": "x"}, and so on."""


def _intrinsic(loader: _Loader, name: str, node: yaml.Node) -> dict[str, object]:
    key = name if name in {"Ref", "Condition"} else f"Fn::{name}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {key: str(value).split(".", 1) if name == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {key: loader.construct_sequence(node, deep=True)}
    raise TypeError(f"unexpected node below !{name}")


_Loader.add_multi_constructor("!", _intrinsic)


def read_template() -> dict[str, Any]:
    """Return the whole template; `!GetAtt A.B` is {"Fn::GetAtt": ["A", "B"]}."""
    text = TEMPLATE.read_text(encoding="utf-8")
    template: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506  # derived from SafeLoader
    return template


def referred(value: dict[str, Any]) -> str:
    """What a Ref or a GetAtt names, as `A` or `A.B`."""
    ((_, target),) = value.items()
    return target if isinstance(target, str) else ".".join(target)
