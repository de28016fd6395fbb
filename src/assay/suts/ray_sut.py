"""The ray SUT in its process: the cluster is joined or started, and the number of replicas decided, by a measurement
where nothing else says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assay import suts
from assay.config import Device
from assay.ground import cores, memory
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import Sink, SutSpec
from assay.suts import ray_auto, ray_layout
from assay.suts.ray import AUTO, KIND, hosted
from assay.suts.ray_cluster import Cluster
from assay.suts.ray_layout import ReplicaLayout
from assay.suts.ray_replicas import RaySut


def build(spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> RaySut:
    """Raises: ConfigError for what has no room or nodes that are not alike, EnvironmentProblem without a cluster, and
    what a replica raises while it loads."""
    inner, given = hosted(spec)
    options, kind = KIND.values(given), suts.kind(inner.kind)
    address = options["ray_address"]
    sink.progress(
        "starting Ray on this machine" if address is None else f"joining the Ray cluster at {address}"
    )
    cluster = Cluster(None if address is None else str(address))

    def loaded(layout: ReplicaLayout, into: Sink, notes: Sequence[str] = ()) -> RaySut:
        made = RaySut(cluster, layout, options, kind, inner, into, notes)
        made.load(samples)
        return made

    try:
        nodes = cluster.nodes()
        if cluster.is_own and _is_measured(options, spec.device):
            layouts = ray_layout.candidates(int(nodes[0].cpus), cores.numa_nodes())
            free = memory.available()
            tried = ray_auto.trials(layouts, loaded, len(samples), free, sink)
            sut = loaded(ray_auto.best(tried).layout, sink, [ray_auto.words(tried)])
        else:
            sut = loaded(ray_layout.asked(options, spec.device, nodes), sink)
        cluster.watch(sut.break_off)
    except BaseException:
        cluster.close()
        raise
    return sut


def _is_measured(options: Mapping[str, Any], device: Device) -> bool:
    """Whether nothing but a measurement says how many replicas there are."""
    is_asked = options["replicas"] != AUTO or options["cpus_per_replica"] is not None
    return not is_asked and not ray_layout.gpus_of(options, device)
