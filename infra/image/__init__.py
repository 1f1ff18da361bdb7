"""Builds the worker's image without Docker and runs it as Lambda does: for `make image-test`, on Debian, as root."""
