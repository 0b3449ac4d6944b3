"""Several machines: network namespaces with addresses of their own, and an upgrade under load."""
