"""Where all servers of a comparison listen, and nobody else can see them."""

__all__ = ["HOST"]

HOST = "127.0.0.1"
