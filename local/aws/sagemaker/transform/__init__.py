"""Models and batch transform jobs: the container's `serve` as a process, asked over HTTP."""
