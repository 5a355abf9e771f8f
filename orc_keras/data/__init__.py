"""The images: their sources, and the pipeline to the networks; imported on first use."""

from orc_keras import lazy

_PLACES = {
    "ImageData": "image_data",
    "PixelImages": "images",
    "held_out_batches": "pipeline",
    "held_out_files": "pipeline",
    "held_out_pixels": "pipeline",
    "load": "image_data",
    "normalise": "pipeline",
    "dataset_size": "image_data",
    "train_batches": "pipeline",
}
__all__ = list(_PLACES)
__getattr__ = lazy.attributes(__name__, _PLACES)
