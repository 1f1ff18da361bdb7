#!/bin/sh
# Expected: an event ScheduleV2 of a function becomes a schedule that CloudFormation names, as Schedule and all others do.
# Happens: SAM gives it a fixed Name without the stack's, so a second stack of the template fails in the same account.
# Source: aws-sam-translator 1.115.0, ScheduleV2 without Name and without OmitName; Schedule beside it for comparison.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet aws-sam-translator==1.115.0 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON' 2>/dev/null
import sys

import boto3
from samtranslator import __version__
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


def event(kind, **properties):
    key = "ScheduleExpression" if kind == "ScheduleV2" else "Schedule"
    return {"Type": kind, "Properties": {key: "rate(1 minute)", **properties}}


events = {"New": event("ScheduleV2"), "Unnamed": event("ScheduleV2", OmitName=True), "Old": event("Schedule")}
function = {
    "Type": "AWS::Serverless::Function",
    "Properties": {
        "Runtime": "python3.13",
        "Handler": "a.b",
        "CodeUri": "s3://b/k",
        "Role": "arn:aws:iam::123456789012:role/r",
        "Events": events,
    },
}
template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Function": function}}
session = boto3.session.Session(region_name="us-east-1")
made = Translator({}, Parser(), boto_session=session).translate(template, parameter_values={})["Resources"]
names = {
    event: (made[f"Function{event}"]["Type"], made[f"Function{event}"]["Properties"].get("Name", "left to CloudFormation"))
    for event in events
}
print(f"aws-sam-translator {__version__}")
for event, (kind, name) in names.items():
    print(f"{event:8} {kind:28} Name: {name}")
sys.exit([name for _, name in names.values()] != ["FunctionNew", "left to CloudFormation", "left to CloudFormation"])
PYTHON
