"""What Prometheus is told of the pools."""
