"""Layer groups of a network, from its input to its head."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from torch import nn

from acclimate.training.network import Network

Group = list[nn.Module]


class Own(nn.Module):
    """What a module holds beside its children: its own parameters, and its mode.

    It shares the parameters. Setting its mode sets the module's mode and leaves the children's as
    they are, so that a module can be frozen while its children train.

    Parameters
    ----------
    module : nn.Module
        Whose own state it is.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.held = nn.ParameterList(module.parameters(recurse=False))
        self.owner = (module,)  # in a tuple, so that it is no child

    def train(self, mode: bool = True) -> Own:
        """Set the mode of the module, without its children."""
        self.owner[0].training = mode
        super().train(mode)
        return self


def layer_groups(network: Network) -> list[Group]:
    """Return the layers of a network in groups, from the input to the head.

    A group is a layer with a weight matrix, or a kernel, and what belongs to it. Layers without
    any matrix, such as normalisations, belong to the layer before them, or to the first one.
    Layers without parameters and buffers are in no group.

    Containers (`nn.Sequential`, `nn.ModuleList`, `nn.ModuleDict`) are opened; a layer in them is
    one of their children. Of any other body, the direct children are the layers, in the order in
    which they were registered, which is assumed to be the order in which they run. What such a
    body holds itself, a class token for example, belongs to the first group.

    Parameters
    ----------
    network : Network
        Body and head. It is not changed.

    Returns
    -------
    list of list of nn.Module
        The last one is the head alone. The groups share no module.

    Examples
    --------
    >>> from torch import nn
    >>> from acclimate.training.network import Network
    >>> body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 8))
    >>> groups = layer_groups(Network(body, nn.Linear(8, 3)))
    >>> [[type(layer).__name__ for layer in group] for group in groups]
    [['Linear', 'BatchNorm1d'], ['Linear'], ['Linear']]
    """
    groups: list[Group] = []
    waiting: Group = []  # what comes before the first matrix
    seen: set[nn.Module] = set()
    for layer in _layers(network.body, outermost=True):
        if layer in seen:
            continue
        seen.add(layer)
        if not isinstance(layer, Own) and any(p.dim() > 1 for p in layer.parameters()):
            groups.append([*waiting, layer])
            waiting = []
        elif groups:
            groups[-1].append(layer)
        else:
            waiting.append(layer)
    if waiting:
        groups.append(waiting)
    return [*groups, [network.head]]


def layer_names(network: Network, layers: Iterable[nn.Module]) -> list[str]:
    """Return the dotted names of layers inside a network."""
    known = {module: name for name, module in network.named_modules()}
    owners = (layer.owner[0] if isinstance(layer, Own) else layer for layer in layers)
    return [known[owner] for owner in owners]


def is_trainable(group: Sequence[nn.Module]) -> bool:
    """Tell whether any parameter of a group may move."""
    return any(p.requires_grad for layer in group for p in layer.parameters())


def has_own_state(module: nn.Module) -> bool:
    """Tell whether a module holds parameters or buffers beside those of its children."""
    own = (*module.parameters(recurse=False), *module.buffers(recurse=False))
    return len(own) > 0


def _layers(module: nn.Module, outermost: bool = False) -> Iterator[nn.Module]:
    """Yield the layers with state inside a module, opening containers."""
    container = isinstance(module, nn.Sequential | nn.ModuleList | nn.ModuleDict)
    children = list(module.children())
    if not children or not (container or outermost):
        if next(module.parameters(), None) is not None or next(module.buffers(), None) is not None:
            yield module
        return
    if has_own_state(module):
        yield Own(module)
    for child in children:
        yield from _layers(child)
