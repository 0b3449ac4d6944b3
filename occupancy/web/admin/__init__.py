"""`/admin/`: the operators' pages."""
