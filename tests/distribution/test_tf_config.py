"""TF_CONFIG for a list of hosts: what TensorFlow reads in it."""

import socket

import pytest
import tensorflow as tf

from orc_keras.distribution.__main__ import tf_config


@pytest.fixture(autouse=True)
def named(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "second.cluster")
    monkeypatch.setattr(socket, "getfqdn", lambda: "second.cluster")
    monkeypatch.delenv("JOB_COMPLETION_INDEX", raising=False)


def read(monkeypatch, text):
    """Addresses, own type and index, as TensorFlow resolves them."""
    monkeypatch.setenv("TF_CONFIG", text)
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    return resolver.cluster_spec().job_tasks("worker"), resolver.task_type, resolver.task_id


@pytest.mark.parametrize(
    "index, environment, expected", [(None, "", 1), (0, "", 0), (None, "2", 2)]
)
def test_what_tensorflow_reads(monkeypatch, index, environment, expected):
    monkeypatch.setenv("JOB_COMPLETION_INDEX", environment)
    text = tf_config(["first", "second", "third:99"], port=7, index=index)
    hosts = ["first:7", "second:7", "third:99"]
    assert read(monkeypatch, text) == (hosts, "worker", expected)


@pytest.mark.parametrize(
    "hosts, index, said",
    [
        ([], None, "must be different names of machines, not ''"),
        (["a", "a"], 0, "different names of machines, not 'a,a'"),
        (["a", ""], 0, "different names"),
        (["a", "b:"], 0, "different names"),
        (["a", "::1"], 0, "different names"),
        (["a", "b"], 2, "--index must be 0 to 1 for these hosts, not 2"),
        (["a", "b"], None, "second.cluster, is not one of the hosts .* --index=0 to 1"),
        (["second:1", "second:2"], None, "is not one of the hosts by its name; say which"),
    ],
)
def test_what_is_refused(hosts, index, said):
    with pytest.raises(ValueError, match=said):
        tf_config(hosts, index=index)
