"""Sources of rows: one way in for memory, files and collections."""
