"""What happened in a period, for people: figures folded from the events, and the page that shows them."""
