"""What the network is trained for: to say the target, and to know tracks apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from beetsplug.deejai.embedding.keras_encoder import import_keras
from beetsplug.deejai.training.networks import features
from beetsplug.deejai.training.pairs import N_LABELS

if TYPE_CHECKING:
    from collections.abc import Callable

TargetLoss = Literal["cosine", "mse"]

CONTRAST_SIZE = 128
"""Components of the vectors that are contrasted, and then thrown away."""


@dataclass(frozen=True)
class Objective:
    """The terms of the loss.

    Attributes
    ----------
    target_size
        Components of the targets; 0 when there are none.
    target_loss
        ``cosine``: 1 - cosine similarity (Deej-A.I.); ``mse``: squared distance to the
        target, which has unit length (Dieleman 2014).
    contrast
        Weight of the contrastive term beside that of the targets, which is 1.
    temperature
        Of the contrast: smaller is stricter with the nearest of the others.
    spare_group
        Do not repel tracks of the same group: they may well sound alike.
    """

    target_size: int = 0
    target_loss: TargetLoss = "cosine"
    contrast: float = 1.0
    temperature: float = 0.1
    spare_group: bool = True


@dataclass(frozen=True)
class Learner:
    """A network with the heads that it is trained with.

    Attributes
    ----------
    model
        Slices to all that the loss looks at, concatenated.
    predictor
        Slices to predicted targets; None without targets. It shares all weights.
    """

    model: Any
    predictor: Any | None


def make_learner(
    encoder: Any,
    objective: Objective,
    *,
    own_output: bool,
    n_hidden: int = 512,
    dropout: float = 0.3,
) -> Learner:
    """Put heads on a network.

    What the contrast wants forgotten is forgotten in a head of its own; the features
    below stay the better judge of music that they have not seen (SimCLR, Chen 2020).

    Parameters
    ----------
    encoder
        A network whose last layer is a dense one named ``vectors``.
    objective
        The loss.
    own_output
        Whether the encoder's own output is to be the target, else that of a head.
    n_hidden, dropout
        Of the heads.
    """
    keras = import_keras()
    layers = keras.layers
    below = layers.Dropout(dropout, name="heads_dropout")(features(encoder))
    outputs, predictor = [], None
    if objective.target_size:
        if own_output:
            predicted = encoder.output
        else:
            predicted = layers.Dense(objective.target_size, name="targets")(below)
        predictor = keras.Model(encoder.input, predicted)
        outputs.append(predicted)
    if objective.contrast:
        x = layers.Dense(n_hidden, activation="relu", name="contrast_hidden")(below)
        x = layers.Dropout(dropout, name="contrast_dropout")(x)
        outputs.append(layers.Dense(CONTRAST_SIZE, name="contrast")(x))
    if not outputs:
        raise ValueError("neither targets nor contrast: nothing to learn")
    merged = outputs[0] if len(outputs) == 1 else layers.Concatenate()(outputs)
    return Learner(keras.Model(encoder.input, merged), predictor)


def make_loss(objective: Objective) -> Callable[[Any, Any], Any]:
    """Make the loss of a learner's output.

    Returns
    -------
    callable
        Maps labels (n, 3 + d), as :func:`~.pairs.draw_pairs` makes them, and outputs
        to losses (n,).
    """
    ops = import_keras().ops
    size = objective.target_size
    contrast = nt_xent(
        temperature=objective.temperature, spare_group=objective.spare_group
    )

    def loss(labels: Any, outputs: Any) -> Any:
        total = 0.0
        if size:
            target, predicted = labels[:, N_LABELS:], outputs[:, :size]
            if objective.target_loss == "cosine":
                miss = 1.0 - ops.sum(target * _unit(predicted), axis=1)
            else:
                miss = ops.sum(ops.square(target - predicted), axis=1)
            total = labels[:, 2] * miss
        if objective.contrast:
            total += objective.contrast * contrast(labels, outputs[:, size:])
        return total

    return loss


def _unit(vectors: Any) -> Any:
    ops = import_keras().ops
    return vectors / (ops.norm(vectors, axis=1, keepdims=True) + 1e-6)


def nt_xent(*, temperature: float, spare_group: bool) -> Callable[[Any, Any], Any]:
    """Make the normalised temperature-scaled cross-entropy loss (SimCLR, Chen 2020).

    Parameters
    ----------
    temperature, spare_group
        See :class:`Objective`.

    Returns
    -------
    callable
        Maps labels (n, 2 or more) whose columns are the numbers of track and group, two
        rows for each track, and vectors (n, d) to losses (n,).
    """
    ops = import_keras().ops

    def loss(labels: Any, vectors: Any) -> Any:
        unit = _unit(vectors)
        similarity = ops.matmul(unit, ops.transpose(unit)) / temperature
        track, group = labels[:, 0], labels[:, 1]
        itself = ops.cast(ops.eye(ops.shape(vectors)[0]), "bool")
        partner = ops.logical_and(
            ops.equal(track[:, None], track[None]), ops.logical_not(itself)
        )
        ignored = itself
        if spare_group:
            kin = ops.equal(group[:, None], group[None])
            ignored = ops.logical_and(kin, ops.logical_not(partner))
        similarity = ops.where(ignored, -1e9, similarity)
        attraction = ops.sum(ops.where(partner, similarity, 0.0), axis=1)
        return ops.logsumexp(similarity, axis=1) - attraction

    return loss
