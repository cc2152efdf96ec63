-- Insert a code. Returns its id, and the ids of older codes for the same contact and secret, which it replaces.
-- When a donor enters a code, its networks get back the limits on held spots that it has used up. If a code is sent
-- again, these limits move from the newest older code to the new one.
INSERT INTO volunteers_verificationcode (
    organization_id, identity, bound_to, refunds, code_hash, tries, expires_at, created_at
) VALUES (
    %(organization_id)s, %(identity)s::varchar, %(bound_to)s::varchar,
    %(refunds)s::jsonb || CASE WHEN %(takes_over)s THEN coalesce((
        SELECT jsonb_agg(spent.refund ORDER BY spent.position)
        FROM (
            SELECT refunds, used_at FROM volunteers_verificationcode
            WHERE identity = %(identity)s::varchar AND bound_to = %(bound_to)s::varchar
            ORDER BY created_at DESC, id DESC LIMIT 1
        ) AS newest
        CROSS JOIN jsonb_array_elements(newest.refunds) WITH ORDINALITY AS spent (refund, position)
        WHERE newest.used_at IS NULL AND starts_with(spent.refund ->> 0, 'holds_')
    ), '[]') ELSE '[]' END,
    %(code_hash)s, 0, %(expires_at)s, %(created_at)s
) RETURNING id, ARRAY(
    SELECT older.id FROM volunteers_verificationcode AS older
    WHERE older.identity = %(identity)s AND older.bound_to = %(bound_to)s AND older.expires_at > %(created_at)s
)
