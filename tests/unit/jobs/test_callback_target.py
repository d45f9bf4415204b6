"""Which URLs callbacks may go to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boringml.errors import BoringError
from boringml.jobs.callback_target import Target, is_open, judge

PUBLIC = "93.184.215.14"


def to(*addresses: str) -> Target:
    return judge("https://hooks.example.com/a?b=c", lambda *_: addresses, loopback=False)


def refusal(url: str, *addresses: str, loopback: bool = False) -> str:
    with pytest.raises(BoringError) as refused:
        judge(url, lambda *_: addresses or (PUBLIC,), loopback=loopback)
    assert (refused.value.code, refused.value.status) == ("callback_url_refused", 422)
    return refused.value.message


CLOSED = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1",
    "172.31.255.255", "192.168.1.1", "169.254.169.254", "169.254.170.2", "100.64.0.1",
    "100.127.255.255", "192.0.0.170", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fe80::1",
    "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1", "2002:7f00:1::1", "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1", "3fff::1", "100::1", "5f00::1", "::ffff:0:7f00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", CLOSED)
def test_a_name_that_leads_to_a_closed_address_is_refused(address: str) -> None:
    assert address.split(":")[0] in refusal("https://hooks.example.com/", address)


@pytest.mark.parametrize("address", CLOSED)
def test_a_closed_address_is_refused_as_it_is(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    refusal(f"https://{host}/")


@pytest.mark.parametrize("address", CLOSED)
def test_one_closed_address_among_open_ones_is_enough(address: str) -> None:
    with pytest.raises(BoringError):
        to(PUBLIC, address)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "0x7f.0.0.1", "127.1", "127.0.1",
        "0", "0x0", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "127.0.0.1.", "1.2.3.4.5",
        "256.0.0.1", "localhost", "metadata", "example.com.", "-a.example.com", "a..example.com",
        "\uff45xample.com", "①②⑦.⓪.⓪.①", "[::1%25lo]", "[127.0.0.1]", "[::1",
        "example.com\\@evil.com",
    ],
)  # fmt: skip
def test_what_is_an_address_to_some_and_not_to_others_is_refused(host: str) -> None:
    refusal(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd", "//a.io",
        "hooks.example.com", "https://user@hooks.example.com/", "https://user:pw@hooks.example.com/",
        "https://hooks.example.com@127.0.0.1/", "https://@hooks.example.com/",
        "https://hooks.example.com:22/", "https://hooks.example.com:80/", "https://hooks.example.com:0/",
        "https://hooks.example.com:/", "https://hooks.example.com:99999/", "https://hooks.example.com/#a",
        "https://hooks.example.com/#", "https://", "https:///path", "", "https://hooks.exa\nmple.com/",
        "https://hooks.example.com/\tx", " https://hooks.example.com/", "https://hooks.example.com/é",
        "https://hooks.example.com/" + "a" * 2048, "gopher://hooks.example.com/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("loopback", [False, True])
def test_a_url_of_another_kind_is_refused(url: str, loopback: bool) -> None:
    refusal(url, loopback=loopback)


def test_a_public_name_is_asked_once_and_its_addresses_are_kept() -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", PUBLIC]

    target = judge("https://Hooks.Example.com:8443/a?b=c", resolve, loopback=False)
    assert asked == [("hooks.example.com", 8443)]
    assert target.addresses == (PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    assert (target.place.port, target.place.path) == (8443, "/a?b=c")


def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(BoringError):
        to()


def test_the_refusal_does_not_repeat_a_token_of_the_url() -> None:
    assert "s3cret" not in refusal("https://hooks.example.com/?token=s3cret", "10.0.0.1")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8123/", "http://localhost:8123/", "http://[::1]:8123/"]
)
def test_this_machine_is_open_on_the_local_aws_and_nowhere_else(url: str) -> None:
    assert judge(url, lambda *_: ["127.0.0.1"], loopback=True).place.port == 8123
    refusal(url, "127.0.0.1")


@pytest.mark.parametrize("address", [a for a in CLOSED if not ipaddress.ip_address(a).is_loopback])
def test_the_local_aws_opens_loopback_and_nothing_more(address: str) -> None:
    refusal("https://hooks.example.com/", address, loopback=True)
    refusal("http://hooks.example.com/", address, loopback=True)


def test_http_to_the_internet_is_refused_on_the_local_aws_too() -> None:
    refusal("http://hooks.example.com/", PUBLIC, loopback=True)
    refusal("https://hooks.example.com:22/", PUBLIC, loopback=True)


@given(st.ip_addresses())
def test_no_open_address_is_one_that_python_knows_to_be_special(address: object) -> None:
    assert isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address)
    if is_open(address):
        assert address.is_global
        assert [address.is_multicast, address.is_private, address.is_reserved] == [False] * 3


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_carries_a_closed_ipv4_address_through(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for prefix, shift in (("::ffff:0:0", 0), ("64:ff9b::", 0), ("2002::", 80), ("::", 0)):
        form = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number << shift)
        assert not is_open(form)
