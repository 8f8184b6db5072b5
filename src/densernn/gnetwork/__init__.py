"""General Random Neural Networks: rates, steady state and simulation."""

from __future__ import annotations

from densernn.gnetwork.network import RandomNeuralNetwork
from densernn.gnetwork.rates import Rates
from densernn.gnetwork.simulate import Simulation, Spikes
from densernn.gnetwork.steady_state import SteadyState

__all__ = ["RandomNeuralNetwork", "Rates", "Simulation", "Spikes", "SteadyState"]
