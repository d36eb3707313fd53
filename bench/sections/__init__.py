"""What the page says of each measurement: ``section(result)``, pure."""
