#!/usr/bin/env bash
# Expected: policy_sentry knows that apigateway:PATCH applies to REST APIs and API keys, as AWS's reference says.
# Happens: it knows HTTP APIs' resources alone: of the two pages of AWS's reference with this prefix it has one's.
# Source: "Actions, resources, and condition keys for Amazon API Gateway Management" and its "V2" (policy_sentry 0.15.2).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet policy_sentry==0.15.2 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON'
from importlib.metadata import version

from policy_sentry.querying.actions import get_action_data

print("policy_sentry", version("policy_sentry"))
rows = get_action_data("apigateway", "PATCH")["apigateway"]
forms = sorted({row["resource_arn_format"].partition("::")[2] for row in rows} - {""})
print("apigateway:PATCH applies to", *forms, sep="\n  ")
if any(form.startswith(("/restapis", "/apikeys", "/usageplans")) for form in forms):
    raise SystemExit("It has the other API's now.")
PYTHON
