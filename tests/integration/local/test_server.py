"""The process of the local AWS."""

from local.server import LocalAWS


def test_clients_reach_the_account_of_the_local_aws(local_aws: LocalAWS) -> None:
    assert local_aws.client("sts").get_caller_identity()["Account"] == "000000000000"
