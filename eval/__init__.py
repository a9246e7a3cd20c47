"""The benchmarks: runners over the service's face. Nothing imports them but the command line's `eval`."""
