"""MiniStack and its extensions: runs on the interpreter of .venvs/ministack, without boringml."""
