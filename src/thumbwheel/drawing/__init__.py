"""One draw over a store: its frame read list by list, its entries, its record."""
