"""List prices in US dollars: what the benchmark's cost section is worked out with.

Region us-east-1, first tier, without free tiers and discounts, as of `DATED`. The authority is each service's price
page, named above its prices. Their tables are filled in by script, so where each price was read stands beside it:

- offer: by its usage type in a public transcription of AWS's price list files of 2026-08-31
  (pricing.us-east-1.amazonaws.com/offers/v1.0/aws/<service>/current/us-east-1/index.csv);
- AWS: in a text of AWS's own;
- others: in secondary public pages only; to be checked first when a bill differs.

The price of a function's time is in `layers/tasks/bill.py`, for every task has its bill. Rounded prices for readers
also stand in template.yaml's parameter descriptions and in README.
"""

from __future__ import annotations

from typing import Final

# https://aws.amazon.com/lambda/pricing/ (offer: AWSLambda, Request; others: snapshot,
# Lambda-SnapStart-Cached-GB-S)
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


def braket_sv1_dollars(seconds: float) -> float:
    """Return what Amazon Braket asks for `seconds` of simulation by SV1, which bills three at least."""
    return max(seconds, BRAKET_SV1_LEAST_SECONDS) / 60 * BRAKET_SV1_MINUTE
