"""Wrong arguments of callbacks, optimizers, networks, losses, data and saves."""

from attacks import pictures
from attacks.case import LIBRARY, Case, step
from attacks.group_cases import IMPORT

KIND = "library"
CALLBACKS = (
    ("callbacks.RoleHistory(5)", "OnlineRoleChange", ("int", "path")),
    ("callbacks.RoleHistory(None)", "OnlineRoleChange", ("NoneType", "path")),
    ("callbacks.RoleHistory('missing/roles.npy')", "OnlineRoleChange", ("missing",)),
    ("callbacks.RoleHistory('folder')", "OnlineRoleChange", ("folder",)),
    ("callbacks.RoleHistory('roles.npy')", "Alone", ("RoleHistory",)),
    ("callbacks.RoleHistory('roles.npy')", "KnowledgeDistillation", ("RoleHistory",)),
    ("callbacks.GroupTensorBoard(None)", "OnlineRoleChange", ("NoneType", "directory")),
    ("callbacks.GroupTensorBoard(5)", "OnlineRoleChange", ("int", "directory")),
    ("callbacks.GroupTensorBoard('text')", "OnlineRoleChange", ("text",)),
    ("callbacks.RoleHistory", "OnlineRoleChange", ("callback", "RoleHistory")),
)
# Arguments of `L2SGD` and of `build`, other calls, and what names what is wrong with them.
OPTIMIZER = (
    ("0.1, l2=-1", ("l2",)),
    ("0.1, l2='x'", ("l2",)),
    ("0.1, l2=float('nan')", ("l2",)),
    ("0.1, l2=None", ("l2",)),
    ("0.1, l2=float('inf')", ("l2",)),
    ("0.1, l2=True", ("l2",)),
    ("0.1, momentum=2", ("momentum",)),
    ("'x'", ("learning_rate", "learning rate")),
    ("-0.1", ("learning_rate",)),
    ("float('nan')", ("learning_rate",)),
    ("0.1, momentum=None", ("momentum",)),
)
NETWORK = (
    ("'resnet9', (8, 8, 1), 10", ("resnet9",)),
    ("None, (8, 8, 1), 10", ("None",)),
    ("8, (8, 8, 1), 10", ("8",)),
    ("['resnet8'], (8, 8, 1), 10", ("resnet8",)),
    ("'resnet8', (8, 8), 10", ("input_shape",)),
    ("'resnet8', 8, 10", ("input_shape",)),
    ("'resnet8', (8, 8, 0), 10", ("input_shape",)),
    ("'resnet8', (8, 8, None), 10", ("input_shape",)),
    ("'resnet8', (8.0, 8.0, 1), 10", ("input_shape",)),
    ("'resnet8', '8x8', 10", ("input_shape",)),
    ("'resnet8', (True, 8, 1), 10", ("input_shape", "True x 8")),
    ("'resnet8', (-8, 8, 1), 10", ("input_shape",)),
    ("'resnet8', (3, 3, 1), 10", ("too small",)),
    ("'vgg8', (8, 8, 1), 10", ("too small",)),
    ("'resnet8', (8, 8, 1), 1", ("num_classes",)),
    ("'resnet8', (8, 8, 1), '10'", ("num_classes",)),
    ("'resnet8', (8, 8, 1), 2.0", ("num_classes",)),
    ("'resnet8', (8, 8, 1), True", ("num_classes",)),
    ("'resnet8', (8, 8, 1), 10, head='round'", ("head",)),
    ("'resnet8', (8, 8, 1), 10, head=None", ("head",)),
    ("'resnet8', (8, 8, 1)", ("num_classes",)),
    ("'resnet8', (8, 8, 1), 10, depth=3", ("depth",)),
)
CALLS = (
    ("models.smallest_size('nothing')", ("nothing",)),
    ("models.smallest_size('vgg8', 'round')", ("round",)),
    ("models.usual_input(None)", ("None",)),
    ("losses.distillation([[1.0, 2.0]], [[1.0, 2.0]], 0)", ("temperature",)),
    ("losses.distillation([[1.0, 2.0]], [[1.0, 2.0]], 'hot')", ("temperature",)),
    ("data.load('mnist')", ("mnist",)),
    ("data.load('')", ("dataset",)),
    ("data.load(None)", ("dataset", "None")),
    ("data.load(5)", ("dataset", "5")),
    ("data.load('folder:missing')", ("missing",)),
    ("data.load('folder:text')", ("text",)),
    ("data.load('folder:folder')", ("folder",)),
    ("data.load('digits', augmentation='flip')", ("augmentation", "flip")),
    ("data.load('digits', image_size=-1)", ("image_size",)),
    ("data.load('digits', image_size='8')", ("image_size",)),
    ("data.load('digits', image_size=8.5)", ("image_size",)),
    ("data.load('digits', validation_fraction=2)", ("validation_fraction",)),
    ("data.load('digits', validation_fraction=-0.1)", ("validation_fraction",)),
    ("data.load('digits', validation_fraction='a')", ("validation_fraction",)),
    ("data.load('digits', memory_gb=float('nan'))", ("memory_gb",)),
    ("data.load('digits', memory_gb=-1)", ("memory_gb",)),
    ("data.load('digits', memory_gb='4')", ("memory_gb",)),
    ("data.train_batches(data.load('digits'), 0, seed=0)", ("batch_size",)),
    ("data.train_batches(data.load('digits'), 10**6, seed=0)", ("batch_size",)),
    ("data.train_batches(data.load('digits'), 8, seed='x')", ("seed",)),
    ("data.train_batches(data.load('digits'), 8, 0, 0, ('rotate',))", ("rotate",)),
    ("data.held_out_batches(data.load('digits'), -1)", ("batch_size",)),
    ("data.PixelImages(np.zeros((3, 8, 8, 1)), [0, 1, 2])", ("uint8", "pixels")),
    ("data.PixelImages(np.zeros((3, 8, 8, 1), np.uint8), [0, 1])", ("labels",)),
    ("Saves('here', 'group', keep=0)", ("keep",)),
    ("Saves('here', 'group', keep='2')", ("keep",)),
    ("Saves('here', 'group', keep=1.5)", ("keep",)),
    ("Saves('here', 'a/b')", ("stage",)),
    ("Saves('here', '')", ("stage",)),
    ("Saves(None, 'group')", ("directory", "NoneType")),
    ("Saves('here', 'group').write(-1, 0, {'a': 1.0})", ("epoch",)),
    ("Saves('here', 'group').write('x', 0, {'a': 1.0})", ("epoch",)),
    ("Saves('here', 'group').write(1, 10**9, {'a': 1.0})", ("step",)),
    ("Saves('text', 'group').write(1, 2, {'a': 1.0})", ("text",)),
    ("Saves('/proc', 'group').write(1, 2, {'a': 1.0})", ("/proc",)),
    ("page.write([])", ("path", "run")),
    ("page.write('folder')", ("folder", "str", "paths")),
    ("page.write(['missing'])", ("missing",)),
    ("orc_keras.callbacks.Throughput().timed([1, 2])", ("dataset", "list")),
)


def pool(rng):
    """Returns a case of each call."""
    calls = [
        *((f"optimizers.L2SGD({arguments})", names) for arguments, names in OPTIMIZER),
        *((f"models.build({arguments})", names) for arguments, names in NETWORK),
        *CALLS,
    ]
    return [
        *(_callback(*of) for of in CALLBACKS),
        *(_case(call, call, names) for call, names in calls),
    ]


def _callback(made, kind, names):
    code = f"group(orc_keras.{kind}).fit(images, labels, verbose=0, callbacks=[{made}])"
    return _case(f"{made}, {kind}", code, names)


def _case(title, code, names):
    return Case(KIND, title, LIBRARY, (IMPORT + code + "\n",), names, files=(step(_places),))


def _places(place):
    pictures.write(place, "text", b"This is a text.\n")
    (place / "folder").mkdir()
