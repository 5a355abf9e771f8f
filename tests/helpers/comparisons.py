"""The settings of comparisons."""

from orc_keras.settings import Settings


def settings(**changed):
    defaults = dict(dataset="digits", pivot="resnet20", students=("resnet14", "resnet8"))
    return Settings(**defaults | changed)
