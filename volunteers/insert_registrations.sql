-- What people typed, in the order in which they were named.
INSERT INTO volunteers_registration (
    organization_id, name, phone, phone_as_typed, email, identity, language, consents, confirms, source, for_other, ip,
    created_at
)
SELECT organization_id, name, phone, phone_as_typed, email, identity, language, consents, confirms, source, for_other,
    ip, created_at
FROM jsonb_populate_recordset(NULL::volunteers_registration, %(registrations)s)
RETURNING id
