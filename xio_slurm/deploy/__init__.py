"""Config → plan → EMS documents, node definitions, manifest. Deploy time only."""
