#!/bin/sh
# The suite with several BLAS kernels, and with one and two BLAS threads: what rests on the luck of
# rounding fails with some of them.  Kernels that this processor cannot run are left out.
#
#     tests/on_every_kernel.sh [arguments of pytest]
#
# PYTHON and KERNELS may be set; "default" is what OpenBLAS chooses by itself.
python=${PYTHON:-python}
status=0
for kernel in ${KERNELS:-default Haswell Zen SkylakeX Sandybridge Nehalem}; do
    if [ "$kernel" = default ]; then unset OPENBLAS_CORETYPE; else export OPENBLAS_CORETYPE=$kernel; fi
    for threads in 1 2; do
        export OPENBLAS_NUM_THREADS=$threads
        if ! "$python" -c 'import numpy as np, scipy.linalg as la; la.inv(np.eye(64) @ np.eye(64))' \
            2>/dev/null; then
            echo "== $kernel: not on this processor"
            break
        fi
        echo "== $kernel, threads: $threads"
        "$python" -m pytest -q "$@" || status=1
    done
done
exit $status
