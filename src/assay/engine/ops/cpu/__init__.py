"""Our own kernels for processors. Start at native.py; grouped.h and tile.h are where the time goes."""
