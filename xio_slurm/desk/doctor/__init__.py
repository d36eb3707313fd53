"""``xio doctor``: what must be true of a cluster, and isn't."""
