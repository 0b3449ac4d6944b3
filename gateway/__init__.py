"""From field devices to observations: one gateway per car park."""
