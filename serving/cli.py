"""The ``propensity`` command: the outermost layer. It asks, shows and exits; what it does is done elsewhere.

Exit status: 0 done, 2 something has to be mended (the message says what), 3 no model was promoted.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules

from features.errors import PropensityError
from serving import commands, terminal
from serving.commands import app

for found in iter_modules(commands.__path__, f"{commands.__name__}."):
    import_module(found.name)


def main() -> None:
    """Entry point: errors name the cure and never show a trace."""
    try:
        app()
    except PropensityError as error:
        if "--json" in sys.argv:
            terminal.as_json(error.as_dict())
        terminal.show_error(error)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
