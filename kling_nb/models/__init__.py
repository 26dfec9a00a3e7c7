"""What a request, a price and a record are: pure values and rules, with no network, clock or storage."""
