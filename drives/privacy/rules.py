from datetime import timedelta

HASH_CONTACTS_AFTER = timedelta(days=1)  # a newer contact may belong to a volunteer that is just being created
RESTORED_MESSAGES_SHOWN_AHEAD = timedelta(days=7)
