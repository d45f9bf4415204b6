"""A function of the nested template."""

from words import WORD


def handler(event, context):
    """Return the word of the layer."""
    return WORD
