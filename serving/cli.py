"""The ``propensity`` command: the outermost layer. It asks, shows and exits; what it does is done elsewhere.

Exit status: 0 done, 2 something has to be mended (the message says what), 3 no model was promoted.
"""

from __future__ import annotations

import sys

from features.errors import PropensityError
from serving import terminal
from serving.commands import advocacy, app, daily, models, outreach, programme, reasons

__all__ = ["advocacy", "app", "daily", "main", "models", "outreach", "programme", "reasons"]


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
