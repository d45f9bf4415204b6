"""The registry: immutable versions, aliases that point at them, and the history of every move."""
