"""The summary of a run that is made up."""

MEMBER = {
    "network": "tiny",
    "role": "student",
    "parameters": 1,
    "accuracy": 0.5,
    "top_5": 1.0,
    "cross_entropy": 1.0,
    "calibration_error": 0.1,
    "taught": None,
}
SUMMARY = {
    "settings": {
        "dataset": "tiny",
        "data_dir": "",
        "image_size": 0,
        "validation_fraction": 0.0,
        "batch_size": 10,
        "epochs": 2,
    },
    "description": "somehow",
    "versions": {},
    "data": {
        "image_shape": [4, 4, 1],
        "class_names": ["a", "b"],
        "mean": [0.5],
        "std": [0.5],
        "augmentation": "none",
        "resized": False,
        "train_images": 45,
        "held_out_images": 9,
        "held_out_from": "test",
    },
    "members": {"a": MEMBER, "b": MEMBER},
}
