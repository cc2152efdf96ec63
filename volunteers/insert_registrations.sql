-- Insert registrations. Ids increase in the order of the input.
INSERT INTO volunteers_registration (
    organization_id, name, phone, phone_as_typed, email, identity, language, consents, self_check, source, is_for_other, ip,
    created_at
)
SELECT organization_id, name, phone, phone_as_typed, email, identity, language, consents, self_check, source, is_for_other,
    ip, created_at
FROM jsonb_array_elements(%(registrations)s::jsonb) WITH ORDINALITY AS sent (value, position)
CROSS JOIN LATERAL jsonb_populate_record(NULL::volunteers_registration, sent.value)
ORDER BY sent.position
RETURNING id
