"""The SMTP transmitter: persistent, pipelined connections (RFC 5321, RFC 2920) each message accounted for."""

from engine.channels.smtp.server import Server, Timeouts
from engine.channels.smtp.transmitter import Transmitter

__all__ = ["Server", "Timeouts", "Transmitter"]
