"""What is measured, and how: `python -m bench`, on servers of its own, beside bare SQL in the same run."""
