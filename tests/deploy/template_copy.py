"""The template as it is deployed here: template.yaml with the few changes that this machine asks for."""

from __future__ import annotations

from typing import Any

import yaml

from local.home import PROJECT

_VISIBILITY_SECONDS = 12
_LEASE_SECONDS = 5


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


def template_copy(code: dict[str, str], endpoint: str) -> dict[str, Any]:
    """Read template.yaml and change what cannot be had here.

    `code` is each function's s3:// URI by its logical id, `endpoint` is where AWS answers.

    - Code lies in S3, as `sam deploy` puts it there; process is a zip rather than an image, for which Docker is needed.
    - Supabase answers on the loopback address, by http; so does S3, hence an endpoint in place
      of AWS's own, and no policy that denies what is not TLS.
    - MiniStack takes MaximumConcurrency as a number alone, not as a parameter's text.
    - A message comes again after seconds, and a lease ends before that, as it does with the template's own figures.
    """
    template: dict[str, Any] = yaml.load(
        (PROJECT / "template.yaml").read_text(encoding="utf-8"),
        Loader=_Loader,  # noqa: S506  # derived from SafeLoader
    )
    resources = template["Resources"]
    for name, uri in code.items():
        resources[name]["Properties"]["CodeUri"] = uri
        del resources[name]["Metadata"]

    process = resources["ProcessFunction"]["Properties"]
    (handler,) = process.pop("ImageConfig")["Command"]
    process |= {"PackageType": "Zip", "Runtime": "python3.13", "Handler": handler, "Timeout": _VISIBILITY_SECONDS}
    process["Environment"]["Variables"] |= {"LEASE_SECONDS": str(_LEASE_SECONDS), "RETRY_BASE_SECONDS": "1"}
    process["Events"]["ObjectCreated"]["Properties"]["ScalingConfig"]["MaximumConcurrency"] = 2
    resources["Queue"]["Properties"]["VisibilityTimeout"] = _VISIBILITY_SECONDS

    template["Parameters"]["SupabaseUrl"]["AllowedPattern"] = "http://127.0.0.1:[0-9]+"
    template["Globals"]["Function"]["Environment"]["Variables"]["OBJECT_STORE_ENDPOINT"] = endpoint
    del resources["BucketPolicy"]
    return template
