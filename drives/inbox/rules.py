from datetime import timedelta

ANSWER_WITHOUT_CONSENT_WITHIN = timedelta(days=1)  # after the donor's last text
