"""Errors: what a person did that cannot be worked with, said so that it can be mended."""

__all__ = ["InputError"]


class InputError(ValueError):
    """An argument, file or setting that is refused.

    The message names the argument, what was expected and what came.

    >>> str(InputError("n_latents", "a whole number of at least 1", "0"))
    'n_latents: expected a whole number of at least 1, got 0'
    """

    def __init__(self, argument: str, expected: str, got: str) -> None:
        super().__init__(f"{argument}: expected {expected}, got {got}")
        self.argument, self.expected, self.got = argument, expected, got

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str, str]]:
        return InputError, (self.argument, self.expected, self.got)
