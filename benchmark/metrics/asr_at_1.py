"""The chance that a reply to a harmful request is unsafe, every case weighing the same."""

from convsafe.benchmark.metrics._samples import success_in

METRIC = success_in(1)
