"""The networks of the fixtures: rows (name, network, train, samples, inputs, outputs).

Small on purpose, and not chaotic: make_fixtures.py checks that a perturbation of the weights does not grow.
"""


def mlp(depth, width, **keys):
    return {"family": "mlp", "depth": depth, "width": width, **keys}


def skip(kind, **keys):
    return {"kind": kind, **keys}


def sgd(lr, batch_size, loss="softmax_cross_entropy", clip_norm=None, **optimizer):
    return {
        "loss": loss,
        "optimizer": {"kind": "sgd", **optimizer},
        "lr": lr,
        "batch_size": batch_size,
        "clip_norm": clip_norm,
    }


def rule(kind, lr, batch_size, **keys):
    """50 steps of another optimizer."""
    return {"optimizer": {"kind": kind, **keys}, "lr": lr, "batch_size": batch_size, "steps": 50, "loss": CROSS_ENTROPY}


def loss(kind, **keys):
    return {"kind": kind, **keys}


def linear(units, label, inputs=None, **keys):
    return entry("linear", label, inputs, units=units, **keys)


def entry(op, label, inputs=None, **keys):
    return {"op": op, "label": label, **({"inputs": inputs} if inputs else {}), **keys}


MSE = "mean_squared_error"
BCE = "binary_cross_entropy"
CROSS_ENTROPY = "softmax_cross_entropy"

FAMILIES = [
    # Plain chains: each activation, order and norm.
    ("plain-tanh", mlp(5, 7), sgd(0.05, 16), 16, 6, 3),
    ("plain-relu-inside", mlp(4, 9, activation="relu", order="inside"), sgd(0.05, 8, momentum=0.9), 16, 5, 4),
    (
        "plain-leaky-post",
        mlp(4, 8, activation={"kind": "leaky_relu", "slope": 0.2}, order="post"),
        sgd(0.02, 6, loss=MSE, weight_decay=0.1),
        15,
        4,
        2,
    ),
    ("plain-sigmoid-regression", mlp(3, 6, activation="sigmoid"), sgd(0.5, 10, loss=MSE), 10, 5, 3),
    (
        "plain-erf-layer-norm",
        mlp(5, 8, activation="erf", norm="layer"),
        sgd(0.03, 7, momentum=0.8, nesterov=True),
        16,
        6,
        3,
    ),
    ("plain-gelu-inside-norm", mlp(4, 7, activation="gelu", order="inside", norm="layer"), sgd(0.05, 5), 14, 5, 3),
    ("plain-identity", mlp(5, 5, activation="identity"), sgd(0.002, 12, loss=MSE, momentum=0.5), 12, 4, 2),
    ("depth-1", mlp(1, 8), sgd(0.1, 9), 9, 5, 4),
    # Residual: orders, block lengths (the last one short), scales, norms.
    ("add-tanh", mlp(7, 8, skip="add"), sgd(0.05, 16), 16, 6, 3),
    (
        "add-pre-2-layers-norm",
        mlp(8, 6, activation="relu", norm="layer", skip=skip("add", layers_per_block=2)),
        sgd(0.03, 8, momentum=0.9, weight_decay=0.01),
        16,
        5,
        3,
    ),
    (
        "add-inside-3-layers",
        mlp(9, 5, activation="gelu", order="inside", skip=skip("add", layers_per_block=3)),
        sgd(0.05, 6),
        16,
        4,
        3,
    ),
    (
        "add-post-2-layers",
        mlp(6, 7, activation="relu", order="post", skip=skip("add", layers_per_block=2, branch_scale=0.5)),
        sgd(0.05, 7, clip_norm=0.4),
        14,
        5,
        3,
    ),
    (
        "add-post-layer-norm",
        mlp(5, 8, activation="sigmoid", order="post", norm="layer", skip="add"),
        sgd(0.05, 8, loss=MSE, momentum=0.9, nesterov=True, clip_norm=0.3),
        16,
        5,
        2,
    ),
    (
        "add-inverse-sqrt-blocks",
        mlp(9, 6, activation="relu", skip=skip("add", branch_scale="inverse_sqrt_blocks", shortcut_scale=0.9)),
        sgd(0.05, 10),
        10,
        6,
        4,
    ),
    (
        "add-learned-scale",
        mlp(6, 7, skip=skip("add", branch_scale={"learned": 0.4}, layers_per_block=2, shortcut_scale=1.1)),
        sgd(0.05, 8, momentum=0.9, weight_decay=0.2),
        16,
        5,
        3,
    ),
    ("add-rezero", mlp(6, 6, activation="relu", skip=skip("add", branch_scale={"learned": 0})), sgd(0.1, 12), 12, 5, 3),
    (
        "add-learned-post",
        mlp(5, 6, activation="erf", order="post", skip=skip("add", branch_scale={"learned": -0.7})),
        sgd(0.05, 5, loss=MSE),
        15,
        4,
        2,
    ),
    # Dense.
    ("concat-tanh", mlp(6, 6, skip=skip("concat", growth=4)), sgd(0.05, 16), 16, 5, 3),
    (
        "concat-2-layers-norm",
        mlp(6, 5, activation="relu", norm="layer", skip=skip("concat", growth=3, layers_per_block=2)),
        sgd(0.03, 6, momentum=0.9, weight_decay=0.05, nesterov=True),
        16,
        4,
        3,
    ),
    (
        "concat-inside-3-layers",
        mlp(8, 4, activation="gelu", order="inside", skip=skip("concat", growth=5, layers_per_block=3)),
        sgd(0.05, 8, loss=MSE),
        16,
        4,
        2,
    ),
    (
        "concat-inside-norm",
        mlp(4, 6, activation="leaky_relu", order="inside", norm="layer", skip=skip("concat", growth=4)),
        sgd(0.05, 7),
        14,
        5,
        3,
    ),
    # Highway.
    ("highway-tanh", mlp(6, 7, skip=skip("highway")), sgd(0.1, 16), 16, 5, 3),
    (
        "highway-relu-2-layers-norm",
        mlp(6, 6, activation="relu", norm="layer", skip=skip("highway", layers_per_block=2, gate_bias=-1)),
        sgd(0.05, 6, momentum=0.9, weight_decay=0.05),
        16,
        5,
        3,
    ),
    (
        "highway-inside",
        mlp(5, 6, activation="silu", order="inside", skip=skip("highway", gate_bias=0)),
        sgd(0.05, 8, loss=MSE, clip_norm=0.5),
        16,
        4,
        2,
    ),
    # Batch normalization.
    ("batch-plain-pre", mlp(4, 6, norm="batch"), sgd(0.03, 16), 16, 5, 3),
    ("batch-plain-inside", mlp(4, 6, activation="relu", norm="batch", order="inside"), sgd(0.03, 8), 24, 5, 3),
    (
        "batch-add-pre-2-layers",
        mlp(6, 6, activation="relu", norm="batch", skip=skip("add", layers_per_block=2)),
        sgd(0.03, 10, momentum=0.9, weight_decay=0.02),
        16,
        5,
        3,
    ),
    (
        "batch-add-post",
        mlp(5, 6, activation="silu", norm="batch", order="post", skip=skip("add", branch_scale=0.6)),
        sgd(0.03, 12, loss=MSE, momentum=0.8, nesterov=True),
        20,
        5,
        2,
    ),
    (
        "batch-concat-inside",
        mlp(5, 5, activation="gelu", norm="batch", order="inside", skip=skip("concat", growth=3)),
        sgd(0.03, 16, clip_norm=1),
        16,
        4,
        3,
    ),
    ("batch-highway", mlp(5, 6, norm="batch", skip=skip("highway")), sgd(0.03, 16, momentum=0.5), 16, 5, 3),
    # The other activations with parameters.
    (
        "elu-selu-add",
        mlp(6, 7, activation={"kind": "elu", "alpha": 1.7}, skip=skip("add", branch_scale=0.7)),
        sgd(0.03, 8),
        16,
        5,
        3,
    ),
    ("selu-plain", mlp(5, 8, activation="selu", order="inside"), sgd(0.02, 16, momentum=0.9), 16, 6, 3),
    ("silu-concat", mlp(5, 6, activation="silu", skip=skip("concat", growth=3)), sgd(0.05, 8), 16, 5, 3),
    (
        "softplus-add",
        mlp(5, 7, activation={"kind": "softplus", "beta": 2.5}, norm="layer", skip=skip("add")),
        sgd(0.05, 8, loss=MSE, weight_decay=0.1),
        16,
        5,
        2,
    ),
]

GRAPHS = [
    (
        "graph-long-skips",
        {
            "layers": [
                linear(8, "stem"),
                entry("relu", "features"),
                {
                    "repeat": 4,
                    "layers": [linear(8, "body"), entry("tanh", "active")],
                },
                entry("add", "long_add", ["active.4", "stem", "features"], factors=[1, 0.5, -0.3]),
                entry("concat", "long_concat", ["long_add", "active.1", "input"]),
                entry("layer_norm", "norm"),
                linear(3, "logits"),
            ]
        },
        sgd(0.03, 8, momentum=0.9),
        16,
        5,
        3,
    ),
    (
        "graph-fan-out",
        {
            "layers": [
                linear(6, "stem", bias=False),
                linear(6, "a", ["stem"]),
                entry("sigmoid", "sa"),
                linear(6, "b", ["stem"]),
                entry("gelu", "gb"),
                linear(6, "c", ["stem"]),
                entry("add", "ab", ["sa", "gb"], factors=[2, 1]),
                entry("add", "abc", ["ab", "c", "stem", "ab"], factors=[1, -1, 0.5, 0.25]),
                entry("concat", "all", ["abc", "sa", "abc"]),
                linear(2, "out"),
            ]
        },
        sgd(0.005, 6, loss=MSE, weight_decay=0.1, momentum=0.7, nesterov=True),
        15,
        4,
        2,
    ),
    (
        "graph-nested-repeats",
        {
            "layers": [
                linear(6, "stem"),
                entry("identity", "start"),
                {
                    "repeat": 2,
                    "layers": [
                        entry("tanh", "outer"),
                        {
                            "repeat": 2,
                            "layers": [
                                linear(6, "w"),
                                entry("leaky_relu", "act", slope=0.3),
                                entry("add", "join", ["act", "outer"]),
                            ],
                        },
                        entry("scale", "s", factor={"learned": 0.6}),
                    ],
                },
                entry("concat", "end", ["s.2", "start", "join.2.1", "s.1"]),
                linear(4, "logits"),
            ]
        },
        sgd(0.05, 7, clip_norm=0.5),
        14,
        5,
        4,
    ),
    (
        "graph-dense-of-all",
        {
            "layers": [
                linear(4, "l1"),
                entry("tanh", "t1"),
                linear(4, "l2"),
                entry("erf", "t2"),
                entry("concat", "c2", ["t1", "t2"]),
                linear(4, "l3"),
                entry("sigmoid", "t3"),
                entry("concat", "c3", ["c2", "t3"]),
                linear(4, "l4"),
                entry("concat", "c4", ["c3", "l4", "input"]),
                entry("scale", "half", factor=0.5),
                entry("layer_norm", "norm", affine=False, eps=0.01),
                linear(3, "logits"),
            ]
        },
        sgd(0.1, 5, momentum=0.9, weight_decay=0.02, clip_norm=1),
        13,
        4,
        3,
    ),
    (
        "graph-batch-norm",
        {
            "layers": [
                linear(6, "stem"),
                entry("batch_norm", "n1", momentum=0.3, eps=0.001),
                entry("relu", "r1"),
                linear(6, "l2", bias=False),
                entry("batch_norm", "n2", affine=False),
                entry("add", "join", ["n2", "r1", "stem"], factors=[0.5, 1, 0.2]),
                entry("concat", "both", ["join", "n1"]),
                entry("batch_norm", "n3"),
                linear(3, "logits"),
            ]
        },
        sgd(0.03, 8, momentum=0.9),
        20,
        5,
        3,
    ),
    (
        "graph-activations",
        {
            "layers": [
                linear(5, "a"),
                entry("selu", "a1"),
                linear(5, "b"),
                entry("softplus", "b1"),
                linear(5, "c", ["a1"]),
                entry("elu", "c1"),
                linear(5, "d", ["b1"]),
                entry("silu", "d1"),
                entry("add", "join", ["c1", "d1", "a1"], factors=[1, 1, 0.5]),
                linear(3, "logits"),
            ]
        },
        sgd(0.05, 8, momentum=0.9),
        16,
        5,
        3,
    ),
]

RULES = [
    ("rule-adam", mlp(4, 7), rule("adam", 0.003, 6), 16, 5, 3),
    (
        "rule-adam-amsgrad",
        mlp(4, 7, norm="layer"),
        rule("adam", 0.002, 6, betas=[0.8, 0.95], eps=1e-6, weight_decay=0.1, amsgrad=True, decays="all"),
        16,
        5,
        3,
    ),
    ("rule-adamw", mlp(5, 6, skip="add"), rule("adamw", 0.003, 8, weight_decay=0.2), 20, 5, 3),
    ("rule-adamw-amsgrad", mlp(3, 6), rule("adamw", 0.003, 8, amsgrad=True, decays="all"), 20, 5, 3),
    ("rule-rmsprop", mlp(4, 6, skip="concat"), rule("rmsprop", 0.001, 8), 20, 5, 3),
    ("rule-rmsprop-momentum", mlp(4, 6), rule("rmsprop", 0.0005, 8, momentum=0.8, weight_decay=0.1), 20, 5, 3),
    ("rule-rmsprop-centered", mlp(4, 6), rule("rmsprop", 0.0005, 8, centered=True, alpha=0.9, eps=1e-4), 20, 5, 3),
    (
        "rule-rmsprop-both",
        mlp(4, 6, skip="add"),
        rule("rmsprop", 0.0003, 8, centered=True, momentum=0.5, eps=1e-4, decays="all", weight_decay=0.05),
        20,
        5,
        3,
    ),
    ("rule-lion", mlp(4, 7, skip="add"), rule("lion", 0.001, 8, weight_decay=0.1), 20, 5, 3),
    ("rule-sgd", mlp(4, 7), {**sgd(0.05, 8, momentum=0.9, weight_decay=0.1, decays="all"), "steps": 50}, 20, 5, 3),
]

LOSSES = [
    ("squared-error-classes", mlp(4, 7), sgd(0.2, 8, loss=MSE, momentum=0.9), 16, 5, 3),
    ("hinge", mlp(4, 7), sgd(0.1, 7, loss="hinge"), 16, 5, 4),
    ("hinge-squared-norm", mlp(4, 7, norm="batch"), sgd(0.03, 8, loss=loss("hinge", p=2, margin=0.7)), 16, 5, 3),
    ("hinge-weights", mlp(3, 6), sgd(0.1, 6, loss=loss("hinge", class_weights=[0.5, 2, 0])), 15, 5, 3),
    ("binary-classes", mlp(4, 7, skip="add"), sgd(0.2, 8, loss=BCE, weight_decay=0.01), 16, 5, 3),
    ("binary-two-classes", mlp(3, 6), sgd(0.2, 5, loss=BCE), 15, 5, 2),
    ("binary-shares", mlp(4, 6, activation="relu"), sgd(0.1, 7, loss=BCE, momentum=0.9), 14, 5, 3),
    ("smoothing", mlp(5, 7), sgd(0.1, 8, loss=loss(CROSS_ENTROPY, label_smoothing=0.1)), 16, 6, 3),
    (
        "weights-smoothing",
        mlp(4, 7, skip="add"),
        sgd(0.1, 7, loss=loss(CROSS_ENTROPY, label_smoothing=0.3, class_weights=[0.2, 3, 0, 1.5])),
        16,
        5,
        4,
    ),
    (
        "weights-balanced",
        mlp(4, 7, norm="layer"),
        sgd(0.05, 6, loss=loss(CROSS_ENTROPY, class_weights="balanced"), momentum=0.8),
        16,
        5,
        3,
    ),
    ("weights-zero", mlp(3, 6), sgd(0.1, 5, loss=loss(CROSS_ENTROPY, class_weights=[1, 0, 4])), 15, 5, 3),
]
ON_CLASSES = ("squared-error-classes", "binary-classes", "binary-two-classes")  # where the loss takes targets, too

NETWORKS = FAMILIES + GRAPHS + RULES + LOSSES


def samples_of(row):
    """What the samples of a network have: classes, targets, or shares, which are targets from 0 to 1."""
    name, _, train, *_ = row
    kind = train["loss"] if isinstance(train["loss"], str) else train["loss"]["kind"]
    if kind in (CROSS_ENTROPY, "hinge") or name in ON_CLASSES:
        return "classes"
    return "shares" if kind == BCE else "targets"
