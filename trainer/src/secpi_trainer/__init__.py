"""Training and local serving for SecPI Pipeline. Run as `python -m secpi_trainer COMMAND`."""

__version__ = "0.1.0"
