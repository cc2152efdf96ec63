-- Insert a code. Returns its id, and the ids of older codes for the same contact and secret, which it replaces.
INSERT INTO volunteers_verificationcode (
    organization_id, identity, bound_to, refunds, code_hash, tries, expires_at, created_at
) VALUES (
    %(organization_id)s, %(identity)s, %(bound_to)s, %(refunds)s::jsonb, %(code_hash)s, 0, %(expires_at)s, %(created_at)s
) RETURNING id, ARRAY(
    SELECT older.id FROM volunteers_verificationcode AS older
    WHERE older.identity = %(identity)s AND older.bound_to = %(bound_to)s AND older.expires_at > %(created_at)s
)
