"""``xio install``, ``upgrade`` and ``uninstall``: what a machine gets of us, and how it is rid of it again."""
