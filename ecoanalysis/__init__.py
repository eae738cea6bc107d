"""Who makes up the local digital ecosystem, and with whom to work."""

__version__ = "0.1.0"
