"""`make package`, `make deploy ENV=...`, `make smoke URL=...`, `make sam-env`; LocalStack's up and down."""

from __future__ import annotations

import os
import sys

from release import localstack
from release.deployment import deploy
from release.package import ReleaseError, package
from release.sam_local import write_environment
from release.smoke import smoke


def main() -> int:
    """Run one command; return the exit status."""
    try:
        match sys.argv[1:]:
            case ["package"]:
                package()
            case ["deploy", environment]:
                deploy(environment)
            case ["smoke", url]:
                smoke(url.rstrip("/"), os.environ.get("API_KEY", ""))
            case ["up"]:
                localstack.up()
            case ["down"]:
                localstack.down()
            case ["sam-env"]:
                print(write_environment())
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
