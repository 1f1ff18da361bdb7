"""What a task's callback_url may say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.callback_url import MAX_URL, CallbackUrl, CallbackUrlError


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://example.com", ("example.com", 443, "/")),
        ("HTTPS://Hooks.Example.COM:8443/a/b?c=d&e=%20", ("hooks.example.com", 8443, "/a/b?c=d&e=%20")),
        ("https://example.com?c", ("example.com", 443, "/?c")),
        ("https://xn--bcher-kva.example/", ("xn--bcher-kva.example", 443, "/")),
        ("https://example.com/@/:80", ("example.com", 443, "/@/:80")),
        ("https://1.example.com/", ("1.example.com", 443, "/")),
    ],
)
def test_a_url_is_taken_apart(url: str, parts: tuple[str, int, str]) -> None:
    """Host in lower case, port or its default, and what goes into the request line."""
    found = CallbackUrl.parse(url)
    assert (found.host, found.port, found.target) == parts


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:/example.com",
        "https:example.com",
        "https://",
        "https:///path",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com/#fragment",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\\",
        "https://exa mple.com/",
        " https://example.com/",
        "https://example.com/\r\nX: y",
        "https://exam\tple.com/",
        "https://example.com\n",
        "https://example.com:80/",
        "https://example.com:22/",
        "https://example.com:99999/",
        "https://example.com:/",
        "https://bücher.example/",
        "https://example。com/",
        "https://-example.com/",
        "https://exam_ple.com/",
        "https://example..com/",
        "https://.example.com/",
        "https://example.com./",
        "https://" + "a" * 64 + ".com/",
        "https://" + "a." * 130 + "com/",
        "https://example.com/" + "a" * MAX_URL,
    ],
)
def test_what_cannot_be_called_is_refused(url: str) -> None:
    """Anything but https to a plain DNS name, with a sentence and a hint."""
    with pytest.raises(CallbackUrlError) as refused:
        CallbackUrl.parse(url)
    assert refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.0.1.",
        "0.0.0.0",  # noqa: S104 - a host that is refused
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0X7F.1",
        "0177.0.0.1",
        "017700000001",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.0.1",
        "8.8.8.8",
        "1.2.3.4.5",
        "foo.0x4",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[fe80::1%25eth0]",
        "１２７.0.0.1",  # noqa: RUF001 - full-width digits
        "①②⑦.0.0.1",
        "localhost",
        "LOCALHOST",
        "a.localhost",
        "localhost.localdomain",
        "printer",
        "printer.local",
        "metadata.google.internal",
        "instance-data.ec2.internal",
        "router.home.arpa",
        "1.0.0.127.in-addr.arpa",
    ],
)
def test_an_address_or_a_local_name_is_refused(host: str) -> None:
    """In any notation that some resolver or URL reader takes for one."""
    for url in (f"https://{host}/", f"https://{host}:8443/hook"):
        with pytest.raises(CallbackUrlError):
            CallbackUrl.parse(url)


@given(st.text(max_size=60), st.sampled_from(["https://", "https://example.com/", ""]))
def test_whatever_is_taken_is_plain(text: str, start: str) -> None:
    """No text gets anything into a request but visible ASCII, nor a host that is not a name with a dot."""
    try:
        url = CallbackUrl.parse(start + text)
    except CallbackUrlError:
        return
    assert all("!" <= character <= "~" for character in url.host + url.target)
    assert "." in url.host
    assert not url.host.rsplit(".", 1)[1].isdecimal()
    assert url.target.startswith("/")
