"""Which car park should this driver take."""
