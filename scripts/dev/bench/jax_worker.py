"""JAX's process of bench_peers.py, `jax_worker.py THREADS`; see worker.py.

XLA takes the size of its thread pools from the CPUs that the process may use, when it is first imported; no call sets
it.  So the process is bound to as many CPUs as it shall have threads before that: the threads that compute and those
that dispatch share them.  For one thread products are told not to use a pool at all.
"""

import os
import sys

import worker


def bind(threads: int):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    if threads == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false"
    os.environ["JAX_PLATFORMS"] = "cpu"


def main():
    bind(int(sys.argv[1]))
    import jax_network

    worker.serve(jax_network.VERSION, jax_network.Trainer)


main()
