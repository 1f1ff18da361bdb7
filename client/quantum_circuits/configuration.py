"""Where the service's URL and the API key come from: arguments, then the environment, then a file."""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from quantum_circuits.errors import ConfigurationError

URL_VARIABLE = "QUANTUM_CIRCUITS_URL"
KEY_VARIABLE = "QUANTUM_CIRCUITS_API_KEY"
FILE_VARIABLE = "QUANTUM_CIRCUITS_CONFIG"
PROFILE_VARIABLE = "QUANTUM_CIRCUITS_PROFILE"


@dataclass(frozen=True)
class Configuration:
    """The service's URL, without a slash at its end, and an API key, which `repr` does not show."""

    url: str
    api_key: str = field(repr=False)

    @classmethod
    def find(cls, url: str | None = None, api_key: str | None = None, profile: str | None = None) -> Configuration:
        """Return what is given, else what the environment has, else what the file's profile has.

        The file is an INI file, `~/.config/quantum-circuits/config.ini` or what QUANTUM_CIRCUITS_CONFIG names. Each
        profile is a section (`default`, or what QUANTUM_CIRCUITS_PROFILE names) with `url` and `api_key`. URL and key
        come from the same place: a key is never sent to a URL that it was not given with, unless both are arguments or
        variables. Raises ConfigurationError.
        """
        url = url or os.environ.get(URL_VARIABLE)
        api_key = api_key or os.environ.get(KEY_VARIABLE)
        if url and not api_key:
            raise ConfigurationError(
                f"The API key for {url} is not known. Pass it to the client or set {KEY_VARIABLE}: the key of a "
                "configuration file is used with the URL of that file only."
            )
        if not url:
            section = _section(profile)
            url = section.get("url")
            api_key = api_key or section.get("api_key")
        if not url or not api_key:
            missing, variable = ("URL", URL_VARIABLE) if not url else ("API key", KEY_VARIABLE)
            raise ConfigurationError(
                f"The service's {missing} is not known. Pass it to the client, set {variable}, or write url and "
                f"api_key into the section [default] of {_path()}."
            )
        url, api_key = url.strip().rstrip("/"), api_key.strip()
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ConfigurationError(f"The service's URL is {url!r}, which is not a URL: {error}.") from error
        if parsed.scheme not in {"https", "http"} or not parsed.host:
            raise ConfigurationError(
                f"The service's URL is {url!r}. It must start with https:// or http:// and a host."
            )
        if not (api_key.isascii() and api_key.isprintable()):
            raise ConfigurationError("The API key has characters that a key cannot have. Copy it again.")
        return cls(url, api_key)


def _path() -> Path:
    given = os.environ.get(FILE_VARIABLE)
    if given:
        return Path(given)
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "quantum-circuits" / "config.ini"


def _section(profile: str | None) -> dict[str, str]:
    path = _path()
    name = profile or os.environ.get(PROFILE_VARIABLE)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if name or os.environ.get(FILE_VARIABLE):
            raise ConfigurationError(f"There is no file {path}.") from None
        return {}
    except (OSError, configparser.Error, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from error
    if not parser.has_section(name or "default"):
        if name is None:
            return {}
        raise ConfigurationError(f"{path} has no section [{name}].")
    return dict(parser[name or "default"])
