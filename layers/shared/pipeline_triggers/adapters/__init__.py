"""The only room that talks to AWS: each module implements one port of ``domain.ports``."""
