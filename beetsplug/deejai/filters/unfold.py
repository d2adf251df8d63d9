"""What becomes of the input of a Keras network, operation by operation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from beetsplug.deejai.embedding.keras_encoder import import_keras

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FOLLOWING = re.compile(r"\w+Normalization|Activation|\w*ReLU|ELU|Softmax")
"""Classes of the layers that belong to the one before them."""


@dataclass(frozen=True)
class Use:
    """A layer, or another operation, at work.

    Attributes
    ----------
    name
        Of the layer, behind those of the networks it is inside of.
    layer
        The layer itself.
    taken, given
        The tensors that it takes, and what it makes of them.
    """

    name: str
    layer: Any
    taken: list[Any]
    given: Any

    @property
    def kind(self) -> str:
        """What Keras calls the layer."""
        return type(self.layer).__name__


def unfold(network: Any) -> tuple[list[Use], Any]:
    """Follow what becomes of a network's input, through networks inside of it, too.

    A network inside of another knows its layers' tensors only as if it stood alone, and
    a sequential one has joined its layers anew with every one that was added. So each
    layer is called once more, on what reaches it from the input of the whole.

    Returns
    -------
    uses : list of Use
        In an order in which they can be computed.
    last : tensor
        The output of the whole.
    """
    keras = import_keras()
    uses: list[Use] = []

    def follow(network: Any, inputs: Any, path: str) -> Any:
        def at_work(layer: Any) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                every = keras.tree.flatten((args, kwargs))
                taken = [one for one in every if isinstance(one, keras.KerasTensor)]
                if _is_network_for(layer, taken):
                    return follow(layer, taken, f"{path}{layer.name}/")
                given = layer(*args, **kwargs)
                uses.append(Use(path + layer.name, layer, taken, given))
                return given

            return call

        if not isinstance(network, keras.Sequential):
            return network._run_through_graph(inputs, at_work)
        (given,) = inputs
        for layer in network.layers:
            given = at_work(layer)(given)
        return given

    given = follow(network, network.inputs, "")
    return uses, keras.tree.flatten(given)[0]


def answer_of(uses: Sequence[Use], use: Use) -> Any:
    """Return what comes out of a layer and of what directly follows it."""
    while True:
        users = [one for one in uses if any(x is use.given for x in one.taken)]
        if len(users) != 1 or not _FOLLOWING.fullmatch(users[0].kind):
            return use.given
        use = users[0]


def _is_network_for(layer: Any, taken: Sequence[Any]) -> bool:
    """Whether a layer is a network that takes these tensors as they are."""
    keras = import_keras()
    if not isinstance(layer, (keras.Sequential, keras.Function)):
        return False
    ranks = [len(one.shape) for one in getattr(layer, "inputs", ())]
    return ranks == [len(one.shape) for one in taken]
