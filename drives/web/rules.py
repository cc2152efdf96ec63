from datetime import timedelta

LINK_VALID_FOR = timedelta(days=30)  # after the drive
