"""The file of `--pid`: the number of the process to send signals to. It starts and signals nobody."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from wsgiraw.errors import ConfigError

__all__ = ["PidFile"]


class PidFile:
    """A file that names this process, from `write()` to `remove()`."""

    def __init__(self, path: str, predecessor: int = 0) -> None:
        """Refuse a file that names another living process, except `predecessor`. Raises `ConfigError`."""
        self._path = Path(path).absolute()  # the application may change the directory
        number = self._read()
        if number not in (0, os.getpid(), predecessor) and _lives(number):
            raise ConfigError(
                f"pid file {path}: process {number} is running: stop it, or remove the file if that is no wsgiraw"
            )

    def write(self) -> None:
        """Name this process in the file, which is never seen half written. Raises `ConfigError`."""
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
            with os.fdopen(descriptor, "w") as file:
                os.fchmod(descriptor, 0o644)
                file.write(f"{os.getpid()}\n")
            os.replace(temporary, self._path)  # noqa: PTH105 - a text, not a Path
        except OSError as error:
            raise ConfigError(f"pid file {self._path}: {error.strerror}") from error

    def remove(self) -> None:
        """Remove the file if it still names this process: a successor's stays."""
        if self._read() == os.getpid():
            with suppress(OSError):
                self._path.unlink()

    def _read(self) -> int:
        """Return the number in the file, 0 if there is none."""
        try:
            return max(0, int(self._path.read_text(errors="replace")))
        except (FileNotFoundError, ValueError):
            return 0
        except OSError as error:
            raise ConfigError(f"pid file {self._path}: {error.strerror}") from error


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
