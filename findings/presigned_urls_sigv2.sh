#!/bin/sh
# Expected: boto3 signs S3 URLs by version 4 everywhere; S3 takes no version 2 for objects under KMS keys and in newer buckets.
# Happens: in eight of the oldest regions it signs them by version 2 unless signature_version is set, in all others by version 4.
# Source: boto3 and botocore 1.43.106, generate_presigned_url("get_object"), no option set.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet boto3==1.43.106 botocore==1.43.106 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON'
import os
import sys

import boto3
import botocore

os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent"
session = boto3.session.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret")
regions = session.get_available_regions("s3")
by_version = {2: [], 4: []}
for region in sorted(regions):
    url = session.client("s3", region_name=region).generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    by_version[4 if "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url else 2].append(region)
print(f"boto3 {boto3.__version__}, botocore {botocore.__version__}")
print(f"signed by version 2: {', '.join(by_version[2])}")
print(f"signed by version 4: {len(by_version[4])} regions, eu-central-1 and us-east-2 among them")
sys.exit(len(by_version[2]) != 8 or not {"eu-central-1", "us-east-2"} <= set(by_version[4]))
PYTHON
