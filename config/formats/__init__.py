"""The formats of times that differ from Django's, so that a time looks alike on every page, such as 9:30 AM."""
