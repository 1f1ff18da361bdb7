#!/bin/sh
# Expected: sam deploy --parameter-overrides 'Text=two words' sets the parameter Text to "two words", and Text= to "".
# Happens: the value is cut at the space without a word: Text is "two". An empty value is refused unless written Text="".
# Source: aws-sam-cli 1.170.0, samcli/cli/types.py, CfnParameterOverridesType, the type of that option.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet aws-sam-cli==1.170.0 2>/dev/null
"$folder/env/bin/python" - <<'PYTHON'
import sys

import click
from samcli import __version__
from samcli.cli.types import CfnParameterOverridesType

print(f"aws-sam-cli {__version__}")
convert = lambda *words: CfnParameterOverridesType().convert(words, None, None)
cut = convert("Text=two words", "Other=1")
quoted = convert('Text="two words"', "Other=1")
try:
    empty = convert("Text=", "Other=1")
except click.BadParameter as error:
    empty = f"refused: {error.message[:32]}..."
print(f"Text=two words    {cut}")
print(f'Text="two words"  {quoted}')
print(f"Text=             {empty}")
sys.exit(cut["Text"] != "two" or quoted["Text"] != "two words" or not str(empty).startswith("refused"))
PYTHON
