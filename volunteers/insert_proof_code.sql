INSERT INTO volunteers_proofcode (
    organization_id, identity, bound_to, network, code_hash, tries, expires_at, created_at
) VALUES (
    %(organization_id)s, %(identity)s, %(bound_to)s, %(network)s, %(code_hash)s, 0, %(expires_at)s, %(created_at)s
) RETURNING id
