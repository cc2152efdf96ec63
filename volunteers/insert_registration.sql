INSERT INTO volunteers_registration (
    organization_id, name, phone, phone_as_typed, email, identity, language, consents, confirms, source, for_other, ip,
    created_at
) VALUES (
    %(organization_id)s, %(name)s, %(phone)s, %(phone_as_typed)s, %(email)s, %(identity)s, %(language)s, %(consents)s,
    %(confirms)s, %(source)s, %(for_other)s, %(ip)s, %(created_at)s
) RETURNING id
