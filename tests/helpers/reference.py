"""Online role change on linear networks, in NumPy: an independent statement of the method."""

import dataclasses

import numpy as np
from scipy.special import log_softmax, softmax


@dataclasses.dataclass
class LinearNetwork:
    """z = x W + b, trained by SGD with momentum and L2 weight decay."""

    weights: np.ndarray
    bias: np.ndarray

    def __post_init__(self):
        self.velocity = [np.zeros_like(self.weights), np.zeros_like(self.bias)]

    def logits(self, x):
        return x @ self.weights + self.bias

    def apply_gradients(self, x, logit_gradient, learning_rate, momentum, l2):
        """`logit_gradient` [B, C]: of the mean loss."""
        gradients = [x.T @ logit_gradient, logit_gradient.sum(axis=0)]
        for i, (w, g) in enumerate(zip((self.weights, self.bias), gradients)):
            self.velocity[i] = momentum * self.velocity[i] - learning_rate * (g + l2 * w)
            w += self.velocity[i]


def cross_entropy(y, z):
    return -log_softmax(z, axis=1)[np.arange(len(y)), y]


def cross_entropy_gradient(y, z):
    return softmax(z, axis=1) - np.eye(z.shape[1])[y]


def distillation_gradient(s, t, temperature):
    return temperature * (softmax(s / temperature, axis=1) - softmax(t / temperature, axis=1))


def distillation(s, t, temperature):
    log_t, log_s = log_softmax(t / temperature, axis=1), log_softmax(s / temperature, axis=1)
    return temperature**2 * (np.exp(log_t) * (log_t - log_s)).sum(axis=1)


def largest_remainder(exact):
    places = np.floor(exact).astype(int)
    left = round(exact.sum()) - places.sum()
    for i in sorted(range(len(exact)), key=lambda i: (places[i] - exact[i], i))[:left]:
        places[i] += 1
    return places


def mini_batch(
    pivot,
    students,
    x,
    y,
    *,
    k,
    temperature,
    beta,
    ratio,
    order,
    sgd,
    pivot_learning_rate,
    teachings=("intensive", "private", "group"),
    ensemble=False,
    fixed=None,
    sample_weights=None,
):
    """The seven steps; returns the positions of the temporary teachers and what is to be seen.

    That is the mean loss of each teaching, and the confidence gap. `order` permutes the feedback;
    `sgd` has the students' learning_rate, momentum and l2; `fixed` is the position of a fixed
    temporary teacher.
    """
    count = len(y)
    w = np.ones(count) if sample_weights is None else sample_weights
    # 1. assess
    z = [student.logits(x) for student in students]
    losses = np.stack([cross_entropy(y, zi) for zi in z])
    means = np.average(losses, axis=1, weights=w)
    # 2. change roles
    teachers = list(np.argsort(means, kind="stable")[:k]) if fixed is None else [fixed]
    group = [i for i in range(len(students)) if i not in teachers]
    # 3. collect feedback
    places = largest_remainder(softmax(means[group]) * count)
    chosen = [np.argsort(-w * losses[i], kind="stable")[:n] for i, n in zip(group, places)]
    feedback = order(np.concatenate(chosen))
    # 4. intensive teaching
    seen = {"confidence_gap": np.ptp(means)}
    if "intensive" in teachings:
        mixed = ratio * x + (1 - ratio) * x[feedback]
        zp = pivot.logits(mixed)
        gradient = ratio * cross_entropy_gradient(y, zp)
        gradient += (1 - ratio) * cross_entropy_gradient(y[feedback], zp)
        intensive = ratio * cross_entropy(y, zp) + (1 - ratio) * cross_entropy(y[feedback], zp)
        seen["intensive_teaching"] = np.average(intensive, weights=w)
        of_pivot = sgd | {"learning_rate": pivot_learning_rate}
        pivot.apply_gradients(mixed, gradient * w[:, None] / w.sum(), **of_pivot)
    zp = pivot.logits(x)

    def teach(teaching, learners, by):
        """Returns the mean loss of the learners, after a step of each."""
        if ensemble:
            by = [sum(by) / len(by)]
        weight = beta if teaching in teachings else 0
        student_losses = []
        for i in learners:
            distilled = sum(distillation(z[i], t, temperature) for t in by)
            student_losses.append((1 - weight) * losses[i] + weight * distilled)
            gradient = (1 - weight) * cross_entropy_gradient(y, z[i])
            for t in by:
                gradient += weight * distillation_gradient(z[i], t, temperature)
            students[i].apply_gradients(x, gradient * w[:, None] / w.sum(), **sgd)
        if teaching in teachings:
            seen[f"{teaching}_teaching"] = np.average(student_losses, axis=1, weights=w).mean()

    # 5. private teaching
    teach("private", teachers, [zp])
    # 6. group teaching
    teach("group", group, [zp, *(students[i].logits(x) for i in teachers)])
    return teachers, seen
