"""Wrong arguments of the groups' constructors and of `compile`, as snippets of Python."""

import inspect

from attacks.case import LIBRARY, Case

KIND = "groups"
IMPORT = "from attacks.small import *\n"
GROUPS = (
    "OnlineRoleChange",
    "Alone",
    "KnowledgeDistillation",
    "MutualLearning",
    "CollaborativeLearning",
    "TeacherAssistants",
    "DenselyGuided",
)
NOT_NUMBERS = ("'4'", "True", "None", "[0.5]", "np.ones(2)", "float('nan')", "2j", "{}", "object")
NOT_WHOLE = (*NOT_NUMBERS, "1.5", "float('inf')")
NOT_CHOICES = ("'no_such'", "None", "1", "''", "['individual']", "True", "'Online'")
WRONG = {
    "temperature": (*NOT_NUMBERS, "0", "-1.0", "float('inf')"),
    "distillation_weight": (*NOT_NUMBERS, "1.5", "-0.1", "float('inf')"),
    "mixup_alpha": (*NOT_NUMBERS, "-1", "float('inf')"),
    "survival_probability": (*NOT_NUMBERS, "0", "1.5", "-0.5"),
    "num_temporary_teachers": (*NOT_WHOLE, "0", "2", "-1", "1.0"),
    "role_change_interval": (*NOT_WHOLE, "0", "-3"),
    "distillation_warmup": (*NOT_WHOLE, "-1"),
    "seed": (*NOT_WHOLE, "2**70", "'0'"),
    "teachings": (
        "'private'",
        "None",
        "5",
        "('privat',)",
        "('group', None)",
        "True",
        "[['group']]",
    ),
    "teacher_aggregation": NOT_CHOICES,
    "fixed_teacher": (*(n for n in NOT_CHOICES if n != "''"), "'pivot'"),
    "feedback": NOT_CHOICES,
    "teacher_passes": NOT_CHOICES,
    "name": ("5", "True", "['group']", "'a/b'"),
}
MISSPELT = ("temprature=4.0", "beta=0.5", "T=4", "students_=[]", "optimizer='sgd'", "alpha=1.0")
# Wrong members: the pivot, the students, and what names what is wrong with them.
MEMBERS = (
    ("None", "students()", ("NoneType", "pivot", "keras.Model")),
    ("'resnet8'", "students()", ("str", "pivot")),
    ("[network('pivot')]", "students()", ("list", "pivot")),
    ("keras.Model", "students()", ("type", "pivot", "keras.Model")),
    ("lambda x: x", "students()", ("function", "pivot")),
    ("keras.layers.Dense(3)", "students()", ("Dense", "pivot")),
    ("tf.keras.Sequential", "students()", ("type", "pivot", "keras.Model")),
    ("network('pivot')", "None", ("students",)),
    ("network('pivot')", "[]", ("student",)),
    ("network('pivot')", "5", ("students",)),
    ("network('pivot')", "'resnet8'", ("students", "str")),
    ("network('pivot')", "network('one')", ("students", "list")),
    ("network('pivot')", "[None, None]", ("NoneType",)),
    ("network('pivot')", "['one', 'two']", ("str",)),
    ("network('pivot')", "[*students(), 3]", ("int",)),
    ("network('pivot')", "[students(), students()]", ("list",)),
    ("network('pivot')", "[*students(), keras.layers.Dense(3)]", ("Dense",)),
    ("network('pivot')", "{'one': network('one'), 'two': network('two')}", ("students", "str")),
    ("network('pivot')", "students(classes=4)", (("classes", "pivot"),)),
    ("network('pivot')", "[*students(), network('odd', classes=2)]", (("classes", "odd"),)),
    ("network('pivot')", "students(shape=(5, 5, 1))", (("shape", "(5, 5, 1)"),)),
    ("network('pivot')", "students(shape=(4, 4, 3))", (("shape", "(4, 4, 3)"),)),
    ("network('pivot', classes=1)", "students(classes=1)", ("class", "pivot")),
    ("network('pivot', shape=(16,))", "students(shape=(16,))", (("pivot", "(None, 16)"),)),
    ("network('pivot', shape=(4, 4))", "students(shape=(4, 4))", (("pivot", "(None, 4, 4)"),)),
    ("network('pivot')", "[network('pivot')] + [network('one')] * 2", ("one", "share")),
    ("network('pivot')", "[shared, keras.Sequential([shared], name='again')]", ("share", "again")),
    ("shared", "[shared, network('one')]", ("share",)),
    ("network('pivot')", "[*students(), unbuilt]", ("unbuilt",)),
    ("network('pivot')", "[*students(), two_inputs]", ("two_inputs",)),
    ("network('pivot')", "[*students(), two_outputs]", ("two_outputs",)),
    ("network('pivot')", "[*students(), maps]", ("maps",)),
    *(
        ("network('pivot')", f"[*students(), network('proba', end={end})]", ("proba",))
        for end in (
            "keras.layers.Softmax()",
            "keras.layers.Activation('softmax')",
            "keras.layers.Activation('sigmoid')",
            "keras.layers.Dense(3, activation='softmax')",
            "keras.layers.Dense(3, activation='sigmoid')",
            "keras.ops.softmax",
            "keras.ops.sigmoid",
            "keras.activations.softmax",
            "lambda z: keras.layers.Reshape((3,))(keras.layers.Softmax()(z))",
            "lambda z: keras.layers.Activation('linear')(keras.layers.Softmax()(z))",
            "lambda z: keras.Sequential([keras.layers.Softmax()])(z)",
        )
    ),
    ("network('proba', end=keras.layers.Softmax())", "students()", ("proba",)),
    ("network('pivot')", "[*students(), Probabilities()]", ("subclass",)),
)
ODD = """
shared = network('shared')
unbuilt = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)], name='unbuilt')
a, b = keras.Input(SHAPE), keras.Input(SHAPE)
flat, also = keras.layers.Flatten()(a), keras.layers.Flatten()(b)
one, other = keras.layers.Dense(3)(flat), keras.layers.Dense(3)(flat + also)
two_inputs = keras.Model([a, b], other, name='two_inputs')
two_outputs = keras.Model(a, [one, one + 1], name='two_outputs')
maps = keras.Model(a, keras.layers.Conv2D(3, 3)(a), name='maps')
"""
UNCOMPILED = "orc_keras.Alone(network('pivot'), students())"
COMPILE = (
    ("loss='sparse_categorical_crossentropy'", ("loss", "optimizer")),
    ("'sgd', 'mse'", ("loss", "run_eagerly", "compile")),
    ("'sgd', loss=keras.losses.SparseCategoricalCrossentropy()", ("loss",)),
    ("'sgd', metrics=['accuracy']", ("metrics",)),
    ("'sgd', loss_weights=[1.0]", ("loss_weights",)),
    ("'sgd', weighted_metrics=['accuracy']", ("weighted_metrics",)),
    ("", ("optimizer",)),
    ("None", ("optimizer",)),
    ("'no_such'", ("no_such",)),
    ("5", ("optimizer", "5")),
    ("object()", ("optimizer",)),
    ("keras.optimizers.SGD", ("optimizer",)),
    ("['sgd', 'sgd', 'sgd']", ("optimizer",)),
    ("{'one': 'sgd'}", ("optimizer",)),
    ("keras.optimizers.SGD(use_ema=True)", ("use_ema",)),
    ("keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(use_ema=True))", ("use_ema",)),
    ("tf.compat.v1.train.GradientDescentOptimizer(0.1)", ("optimizer",)),
    ("used", ("optimizer",)),
    ("'sgd', steps_per_execution=0", ("steps_per_execution",)),
    ("'sgd', steps_per_execution='two'", ("steps_per_execution",)),
    ("'sgd', steps_per_execution=1.5", ("steps_per_execution",)),
    ("'sgd', steps_per_execution=None", ("steps_per_execution",)),
    ("'sgd', jit_compile='yes'", ("jit_compile",)),
    ("'sgd', run_eagerly='no'", ("run_eagerly",)),
)
USED = """
used = keras.optimizers.SGD()
used.build(network('other', classes=7).trainable_variables)
"""


def pool(rng):
    """Returns cases of every argument of every group, of wrong members, and of `compile`."""
    return [
        *_arguments(),
        *(_group(rng.choice(GROUPS), (word,), (word.partition("=")[0],)) for word in MISSPELT),
        *(_members(*of, rng.choice(GROUPS)) for of in MEMBERS for _ in range(2)),
        *(_compiled(*of, rng.choice(GROUPS)) for of in COMPILE),
        *_pairs(rng),
        _case("no members", "orc_keras.Alone()", ("pivot",)),
        _case("fit without compile", f"{UNCOMPILED}.fit(images, labels)", ("compile",)),
    ]


def _arguments():
    import orc_keras

    for group in GROUPS:
        for argument in inspect.signature(getattr(orc_keras, group)).parameters:
            for value in WRONG.get(argument, ()):
                yield _group(group, (f"{argument}={value}",), (argument,))


def _pairs(rng):
    names = [name for name in WRONG if name not in ("survival_probability", "name")]
    for _ in range(60):
        both = rng.sample(names, 2)
        given = tuple(f"{name}={rng.choice(WRONG[name])}" for name in both)
        yield _group("OnlineRoleChange", given, tuple(both))


def _group(group, arguments, names):
    made = f"orc_keras.{group}(network('pivot'), students(), {', '.join(arguments)})"
    return _case(f"{group}({', '.join(arguments)})", made, names)


def _members(pivot, students, names, group):
    code = f"orc_keras.{group}({pivot}, {students})"
    used = any(line.partition(" =")[0] in code for line in ODD.split() if line.isidentifier())
    return _case(f"{group}({pivot}, {students})", (ODD if used else "") + code, names)


def _compiled(arguments, names, group):
    made = f"made = orc_keras.{group}(network('pivot'), students())\nmade.compile({arguments})"
    code = (USED if arguments == "used" else "") + made
    return _case(f"{group}.compile({arguments})", code, names)


def _case(title, code, names):
    return Case(KIND, title, LIBRARY, (IMPORT + code + "\n",), names)
