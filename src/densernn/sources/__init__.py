"""Where rows come from: files, arrays and other collections, read in chunks."""
