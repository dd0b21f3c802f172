"""Results in the formats of mteb, the Hub, XTREME and TREC."""
