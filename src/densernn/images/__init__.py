"""Images: layers of clusters with shared filters, and how their filters are learned."""
