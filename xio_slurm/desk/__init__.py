"""The operator's desk: what is the matter with this cluster, in words for who knows none of our code."""
