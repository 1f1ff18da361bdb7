#!/bin/sh
# Resolves the dependency groups of pyproject.toml into pinned, hashed requirements files (`make lock`).
# Everything follows the versions of requirements-dev.txt, the largest set, so that what is tested is what is deployed.
# Versions stay as they are where pyproject.toml allows them; UPGRADE=<package> takes the newest of that one.
# uv writes pins and hashes alone, not where they come from: whoever installs chooses that.
set -eu
compile() {
    output=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        ${UPGRADE:+--upgrade-package "$UPGRADE"} "$@" --output-file "$output"
    echo "wrote $output"
}
compile requirements-dev.txt --group pyproject.toml:dev
compile requirements.txt --group pyproject.toml:local --constraints requirements-dev.txt
compile layers/requirements.txt --group pyproject.toml:layer --constraints requirements-dev.txt
compile functions/api/requirements.txt --group pyproject.toml:api --constraints requirements-dev.txt
compile functions/worker/requirements.txt --group pyproject.toml:worker --constraints requirements-dev.txt
# These pin botocores of their own, so they have environments of their own.
compile infra/release/requirements.txt infra/release/requirements.in
compile infra/audit/requirements.txt infra/audit/requirements.in
# Pieces of AWS's base image, for the image's test: not in any environment, so without dependencies.
compile infra/image/requirements.txt infra/image/requirements.in --no-deps
# The frameworks that the client serves, for its tests with real programs.
compile client/tests/requirements.txt client/tests/requirements.in
