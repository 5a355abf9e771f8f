"""What `DistributedModel` is for: two processes, each of which prints what works."""

import json
import os
import subprocess
import sys

from conftest import ROOT
from test_two_workers import free_ports

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import orc_keras, keras, numpy as np, tensorflow as tf
from orc_keras.distribution.multi_worker import DistributedModel

class WithoutFirstFault(keras.Model):
    _maybe_symbolic_build = DistributedModel._maybe_symbolic_build

class WithoutSecondFault(keras.Model):
    _make_function = DistributedModel._make_function

strategy = tf.distribute.MultiWorkerMirroredStrategy()
images, labels = np.ones((8, 3), "float32"), np.zeros(8, "int32")
data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(4)
options = tf.data.Options()
options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
data = data.with_options(options)

def works(kind):
    class Network(kind):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)
            self.dense.build((None, 3))
            self.built = True

        def call(self, images):
            return self.dense(images)

    with strategy.scope():
        network = Network()
        network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        network.optimizer.build(network.trainable_variables)
    try:
        network.fit(data, verbose=0)
        return True
    except Exception:
        return False

for kind in (keras.Model, WithoutFirstFault, WithoutSecondFault, DistributedModel):
    print(kind.__name__, works(kind))
"""


def test_keras_still_cannot_fit_on_several_machines():
    """When this fails, Keras may have mended a fault, and its workaround can go."""
    with free_ports(2) as ports:
        cluster = {"worker": [f"localhost:{port}" for port in ports]}
    processes = []
    for index in range(2):
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        environment = os.environ | {"TF_CONFIG": config}
        command = [sys.executable, "-c", PROGRAM, str(ROOT)]
        process = subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        processes.append(process)
    for process in processes:
        printed, _ = process.communicate(timeout=120)
        assert printed.splitlines() == [
            "Model False",
            "WithoutFirstFault False",
            "WithoutSecondFault False",
            "DistributedModel True",
        ]
