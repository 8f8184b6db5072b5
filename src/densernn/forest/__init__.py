"""Forests of spiking clusters: boxes of randomised trees as clusters, and a readout per region."""
