"""List prices in US dollars: what a dry run's cost and the benchmark's cost section are worked out with.

Region us-east-1, first tier, without free tiers and discounts, as of `DATED`. The authority is each service's price
page, named above its prices. Their tables are filled in by script, so where each price was read stands beside it:

- offer: by its usage type in a public transcription of AWS's price list files of 2026-08-31
  (pricing.us-east-1.amazonaws.com/offers/v1.0/aws/<service>/current/us-east-1/index.csv);
- AWS: in a text of AWS's own;
- others: in secondary public pages only; to be checked first when a bill differs.

What is worked out is worked out with these. Rounded prices for readers also stand in template.yaml's parameter
descriptions and in README, and template.yaml's CostByOwnerQuery has the x86_64 price of a GB-second, which a test
compares with the one here.
"""

from __future__ import annotations

from typing import Final, Literal

DATED: Final = "2026-11-21"
REGION: Final = "us-east-1"

Architecture = Literal["x86_64", "arm64"]

# https://aws.amazon.com/lambda/pricing/ (offer: AWSLambda, Lambda-GB-Second, Lambda-GB-Second-ARM and Request; others:
# the snapshot's Lambda-SnapStart-Cached-GB-S; billed by the millisecond; the init phase too, since August 2025)
LAMBDA_GB_SECOND: Final[dict[Architecture, float]] = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
LAMBDA_REQUEST: Final = 0.20e-6
SNAPSTART_CACHED_GB_SECOND: Final = 0.0000015046

# https://aws.amazon.com/api-gateway/pricing/ (AWS: whitepaper "Best Practices for Designing Amazon API Gateway Private
# APIs and Private Integration", table 4: the first 333 million a month)
REST_API_REQUEST: Final = 3.50e-6
HTTP_API_REQUEST: Final = 1.00e-6  # (others) of up to 512 KB, the first 300 million a month; what we do not use

# https://aws.amazon.com/dynamodb/pricing/on-demand/ (offer: AmazonDynamoDB, WriteRequestUnits, ReadRequestUnits,
# TimedStorage-ByteHrs; others: point-in-time recovery; since November 2024; a write unit is 1 KB, a read unit 4 KB
# consistently, each index that a write changes is a write of its own, a transaction counts twice)
DYNAMODB_WRITE_UNIT: Final = 0.625e-6
DYNAMODB_READ_UNIT: Final = 0.125e-6
DYNAMODB_GB_MONTH: Final = 0.25
DYNAMODB_POINT_IN_TIME_GB_MONTH: Final = 0.20

# https://aws.amazon.com/sqs/pricing/ (others; a request is 64 KB of up to ten messages)
SQS_REQUEST: Final = 0.40e-6

# https://aws.amazon.com/s3/pricing/ (offer: AmazonS3, Requests-Tier1 and Requests-Tier2)
S3_PUT: Final = 5.00e-6
S3_GET: Final = 0.40e-6

# https://aws.amazon.com/cloudwatch/pricing/ and https://aws.amazon.com/xray/pricing/ (offer: AmazonCloudWatch,
# CW:MetricMonitorUsage, of 2026-06-27; others: logs, alarms, dashboards, traces)
LOGS_INGESTED_GB: Final = 0.50
METRIC_MONTH: Final = 0.30  # a custom metric, by the hour in which it is sent
ALARM_MONTH: Final = 0.10  # of one metric, in periods of a minute or longer
DASHBOARD_MONTH: Final = 3.00
XRAY_TRACE: Final = 5.00e-6

# https://aws.amazon.com/eventbridge/pricing/ (others)
SCHEDULER_INVOCATION: Final = 1.00e-6
CUSTOM_EVENT: Final = 1.00e-6  # of up to 64 KB

# https://aws.amazon.com/secrets-manager/pricing/ (others)
SECRET_MONTH: Final = 0.40

# https://aws.amazon.com/ec2/pricing/on-demand/: from AWS to the internet (offer: AWSDataTransfer,
# DataTransfer-Out-Bytes)
TRANSFER_OUT_GB: Final = 0.09

# https://aws.amazon.com/braket/pricing/ (others): no price per task or shot for its state vector simulator
BRAKET_SV1_MINUTE: Final = 0.075
BRAKET_SV1_LEAST_SECONDS: Final = 3.0


def lambda_dollars(seconds: float, memory_mb: int, architecture: Architecture = "x86_64") -> float:
    """Return what `seconds` of a function with `memory_mb` cost, without the price of the request itself."""
    return seconds * memory_mb / 1024 * LAMBDA_GB_SECOND[architecture]


def braket_sv1_dollars(seconds: float) -> float:
    """Return what Amazon Braket asks for `seconds` of simulation by SV1, which bills three at least."""
    return max(seconds, BRAKET_SV1_LEAST_SECONDS) / 60 * BRAKET_SV1_MINUTE
