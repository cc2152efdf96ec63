"""The formats of times that differ from Django's, so that times look the same on every page, such as 9:30 AM."""
