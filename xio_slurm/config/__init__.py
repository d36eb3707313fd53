"""YAML → checked ``Config``: schema, loading with line numbers, instance families, sizing. Deploy time only."""
