"""Five car parks that are not there: simulated field devices and their truth."""
