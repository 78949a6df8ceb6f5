"""python -m heed_worker: starts workers and the gateway, says its address, and ends with its client.

`--local N --folder F` starts a Ray of its own on this machine, with its files in F, that ends with this process, and N workers. Without it
the Ray that is running here is used, with a worker on each machine.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from .gateway import Gateway
from .members import Members
from .worker import Worker

def local_workers(count: int, threads: int, folder: str) -> list[Any]:
    """Workers on this machine, in a Ray that nothing outside it can reach."""
    ray.init(
        num_cpus=count, include_dashboard=False, _node_ip_address="127.0.0.1", _temp_dir=folder, logging_level=logging.ERROR,
    )
    return [actor(threads, num_cpus=1) for _ in range(count)]


def actor(threads: int, **options: Any) -> Any:
    """A worker that Ray starts again where it ends."""
    return ray.remote(Worker).options(max_restarts=-1, max_task_retries=0, **options).remote(threads)


def cluster_workers() -> tuple[list[Any], int]:
    """A worker on each machine of the Ray that runs here, with all of its cores. Also the fewest threads that one has."""
    ray.init(address="auto", logging_level=logging.ERROR)
    workers, threads = [], []
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    for node in sorted((one for one in nodes if one["Alive"]), key=lambda one: str(one["NodeID"])):
        cores = int(node["Resources"].get("CPU", 0))
        if cores > 0:
            place = NodeAffinitySchedulingStrategy(node["NodeID"], soft=True)
            workers.append(actor(cores, num_cpus=cores, scheduling_strategy=place))
            threads.append(cores)
    if not workers:
        raise SystemExit("heed: no machine of the cluster has a core for Ray")
    return workers, min(threads)


async def serve(workers: list[Any], threads: int, host: str, patience: float) -> None:
    """Serves one client until it goes."""
    members = Members(workers, patience)
    await members.begin()
    gateway = Gateway(members, threads, os.environ["HEED_TOKEN"])
    if host == "node":
        host = str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]
    port = await gateway.listen(host)
    print(f"heed gateway {host} {port}", flush=True)
    await gateway.finished()


def main() -> None:
    """Reads the command line. The token is in HEED_TOKEN, which other users of the machine cannot see."""
    parser = argparse.ArgumentParser(prog="heed_worker")
    parser.add_argument("--local", type=int)
    parser.add_argument("--folder")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--patience", type=float, default=600.0)
    options = parser.parse_args()
    if options.local is None:
        asyncio.run(serve(*cluster_workers(), options.host, options.patience))
        return
    try:
        workers = local_workers(options.local, options.threads, options.folder)
        asyncio.run(serve(workers, options.threads, options.host, options.patience))
    finally:
        ray.shutdown()
        shutil.rmtree(options.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
