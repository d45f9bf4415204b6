"""Loopback counts as TLS.

On AWS a bucket policy that denies requests without TLS (aws:SecureTransport) denies nobody who
uses HTTPS, which is everybody. The local AWS speaks HTTP, on the loopback of one machine.
MiniStack 1.5.33 evaluates the condition, so such a policy would shut every function out.
Seam: app.pin_request_origin.
"""

from ministack import app

from local.aws.seams import seam


def install() -> None:
    """Take every request for one that came over TLS."""
    pin = seam(app, "pin_request_origin")

    def pin_secure(source_ip: str, _secure_transport: bool) -> None:
        pin(source_ip, True)

    app.pin_request_origin = pin_secure
