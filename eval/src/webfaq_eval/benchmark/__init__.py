"""A published or staged retrieval data set: its folder, its subsets, and the search in them."""
