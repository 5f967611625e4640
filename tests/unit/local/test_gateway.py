"""Where containers find this machine."""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path

import pytest

from pipeline_triggers.local import gateway
from pipeline_triggers.local.gateway import docker_gateway

linux = pytest.mark.skipif(sys.platform != "linux", reason="the bridge is a thing of Linux")


@linux
def test_the_gateway_is_the_address_of_the_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_BRIDGE", "lo")
    assert docker_gateway() == "127.0.0.1"


@linux
def test_without_the_bridge_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_BRIDGE", "no-such-bridge")
    assert docker_gateway() is None


@linux
def test_there_is_a_gateway_exactly_where_there_is_the_bridge() -> None:
    found = docker_gateway()
    assert (found is not None) == Path("/sys/class/net/docker0").exists()
    assert found is None or ipaddress.ip_address(found).is_private


def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert docker_gateway() is None
