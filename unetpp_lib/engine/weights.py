"""Finding weights: those of a run, of a file, or of a trained network that comes with unetpp."""

from difflib import get_close_matches
from pathlib import Path

from unetpp_lib.data.catalog import FRESH_COPY, shipped_data
from unetpp_lib.engine.runs import Run
from unetpp_lib.errors import InputError


def find_weights(run_or_weights: str | Path) -> Path:
    """Return the .safetensors file that ``run_or_weights`` refers to.

    It may be a run folder, a .safetensors file, or the name of one of the `shipped_networks`; a folder or file with
    that name takes precedence. Raises InputError, which lists the networks, for anything else and for a folder without
    weights.
    """
    path = Path(run_or_weights)
    if path.is_dir():
        return _weights_of_run(path)
    if path.is_file():
        return path
    try:
        return shipped_weights(str(path))
    except InputError as error:
        raise InputError(f"{path}: there is no such file or run folder (`unetpp train` writes one). {error}") from error


def shipped_networks() -> dict[str, Path]:
    """Return the .safetensors file of every trained network that comes with unetpp, by name."""
    return {path.stem: path for path in sorted((shipped_data() / "weights").glob("*.safetensors"))}


def shipped_weights(name: str) -> Path:
    """Return the .safetensors file of a network that comes with unetpp; raises InputError for an unknown name."""
    networks = shipped_networks()
    if not networks:
        raise InputError(f"The networks that come with unetpp are not in {shipped_data() / 'weights'}. {FRESH_COPY}")
    if name not in networks:
        close = get_close_matches(Path(name).stem.lower(), networks, n=1)
        guess = f" Did you mean '{close[0]}'?" if close else ""
        raise InputError(f"No network '{name}' comes with unetpp; these do: {', '.join(networks)}.{guess}")
    return networks[name]


def _weights_of_run(folder: Path) -> Path:
    weights = Run(folder).weights
    if weights.is_file():
        return weights
    remedy = "Give the folder of a run that has finished, or a .safetensors file."
    if str(folder) in shipped_networks():
        remedy = "To use the network with that name that comes with unetpp, rename the folder or work in another one."
    raise InputError(
        f"{folder} has no best.safetensors: it is not a run folder, or the run stopped before a validation. {remedy}"
    )
