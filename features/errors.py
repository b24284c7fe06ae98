"""The one kind of error people see: what was wrong, what exists, what to do."""

from __future__ import annotations


class PropensityError(Exception):
    """A problem that the user can mend.

    ``message`` says what was wrong and what exists, ``hint`` says what to do,
    ``status`` is the HTTP status the service answers with and ``exit_code``
    the exit status of the command.
    """

    def __init__(self, message: str, hint: str, *, status: int = 400, exit_code: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status
        self.exit_code = exit_code

    def as_dict(self) -> dict[str, object]:
        return {"error": self.message, "hint": self.hint, "status": self.status}


def one_of(names: object) -> str:
    """Name what exists, for a message: ``a, b, c`` or ``none``."""
    listed = sorted(str(name) for name in names)  # type: ignore[attr-defined]
    if len(listed) > 30:
        listed = [*listed[:30], f"… ({len(listed) - 30} more)"]
    return ", ".join(listed) if listed else "none"
