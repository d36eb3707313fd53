"""The subcommands of ``xio``: one file each, loaded only when it is called."""
