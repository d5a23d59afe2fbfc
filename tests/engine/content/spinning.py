"""Stands for a check that never ends."""

from engine.content.check import limit

if __name__ == "__main__":
    limit()
    while True:
        pass
