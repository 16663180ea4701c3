"""The five verbs as transactions, and who may use them."""
