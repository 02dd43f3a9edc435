"""Sample flavors for the demo, the tests and the benchmarks, made by PyAV."""

from bench.samples.flavors import FLAVORS, Flavor, make_samples

__all__ = ["FLAVORS", "Flavor", "make_samples"]
