"""The formats of times that differ from Django's. With them, all pages show times in the same way, such as 9:30 AM."""
