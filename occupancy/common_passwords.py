"""Passwords that guessers come to soon: listed ones, and what people make of them."""

from zxcvbn import zxcvbn

# Guesses with lists of leaked passwords, names, words, dates and keyboard rows (zxcvbn, MIT).
LEAST_GUESSES = 3e9
_JUDGED_LETTERS = 72  # judging more takes long; what is beyond makes it only better
# What somebody who knows this service tries first.
_NEAR = ("sanshui", "zhibo", "sanshuizhibo", "foshan", "xinan", "parking", "tingche", "admin")


def is_common(password: str, name: str) -> bool:
    """Takes some hundredths of a second: not on the event loop."""
    judged = zxcvbn(password[:_JUDGED_LETTERS], user_inputs=[name, *_NEAR])
    return float(judged["guesses"]) < LEAST_GUESSES
