"""The commands of `ehcp`, a module each: what they take, what they call, how they print. The clock is read for them by `pipelines.cli`."""
