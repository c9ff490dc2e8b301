"""Training, scoring and using networks: what brings models, losses, metrics and data together."""

from unetpp_lib.engine.config import PRESETS, TrainConfig
from unetpp_lib.engine.evaluation import Evaluation, evaluate
from unetpp_lib.engine.export import export_model
from unetpp_lib.engine.model_files import load_model, save_model
from unetpp_lib.engine.prediction import Predictor, predict
from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.engine.runs import Run
from unetpp_lib.engine.runtime import Runtime, choose_runtime
from unetpp_lib.engine.trainer import train
from unetpp_lib.engine.weights import find_weights, shipped_networks, shipped_weights

__all__ = [
    "PRESETS",
    "Card",
    "Evaluation",
    "Predictor",
    "Run",
    "Runtime",
    "TrainConfig",
    "choose_runtime",
    "evaluate",
    "export_model",
    "find_weights",
    "load_model",
    "predict",
    "save_model",
    "shipped_networks",
    "shipped_weights",
    "train",
]
