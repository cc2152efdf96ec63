"""Page-shaped reads, each with a fixed number of queries. Nothing here writes."""
