"""What the local stack takes from the template."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.aws.lambda_context import LambdaContext
from local.aws.template import Template

SAM = """
Parameters:
  Memory: {Type: Number, Default: 3008}
Resources:
  Process:
    Type: AWS::Serverless::Function
    Properties:
      Handler: process.handler
      Timeout: 900
      %s
      Events:
        Created: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn, BatchSize: 1}}
"""


@pytest.mark.parametrize(("line", "memory"), [("MemorySize: !Ref Memory", 3008), ("MemorySize: 512", 512), ("", 128)])
def test_a_function_is_told_its_memory_as_text_as_lambda_tells_it(tmp_path: Path, line: str, memory: int) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(SAM % line, encoding="utf-8")
    function = Template.read(path).consumers["Queue"].function
    assert (function.memory_mb, LambdaContext(function).memory_limit_in_mb) == (memory, str(memory))
