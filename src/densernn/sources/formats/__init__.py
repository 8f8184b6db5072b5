"""File formats: one file for each, all with the interface of ``base.Stored``."""
