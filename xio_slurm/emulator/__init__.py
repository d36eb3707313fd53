"""An EMS on localhost, with faults on demand: a public test tool."""
