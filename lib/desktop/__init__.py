"""Disposable virtual machines in the browser; the library behind the three scripts in cgi-bin."""

__version__ = "0.1.0"
