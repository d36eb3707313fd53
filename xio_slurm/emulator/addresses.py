"""The addresses that VMs and controllers get: unique, and used again only when their owner is gone."""

from ipaddress import IPv4Address, IPv4Network


class Addresses:
    """Hands out the host addresses of a network, the longest unused first."""

    def __init__(self, network: IPv4Network) -> None:
        self._first = int(network.network_address) + 1
        self._count = network.num_addresses - 2
        self._next = 0
        self._used: set[int] = set()

    def take(self) -> str | None:
        """An address that nobody has, or None if there is none left."""
        if len(self._used) >= self._count:
            return None
        while self._next in self._used:
            self._next = (self._next + 1) % self._count
        number = self._next
        self._used.add(number)
        self._next = (number + 1) % self._count
        return str(IPv4Address(self._first + number))

    def give_back(self, address: str) -> None:
        """Free an address again."""
        self._used.discard(int(IPv4Address(address)) - self._first)
