from datetime import timedelta

AUDIT_ROWS_PER_PAGE = 50
MAX_MEMBERS_SHOWN = 200
MAX_KEYS_SHOWN = 200
MAX_KEY_LIFETIME = timedelta(days=3653)  # about ten years
MAX_CHECKS_PER_HOUR = 10  # for each organization
MAX_TESTS_PER_DAY = 10  # for each organization, for texts and for e-mails
CHECK_WINDOW = timedelta(hours=1)
TEST_WINDOW = timedelta(days=1)
