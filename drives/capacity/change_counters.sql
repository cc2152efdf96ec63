-- Change the counters of those steps of a drive where the change fits, or of all steps if forced.
-- Locks the slots by (starts_at, id) and returns the steps that changed.
WITH wanted AS (
    SELECT * FROM unnest(%(n)s::int[], %(screening)s::int[], %(chairs)s::int[]) AS change (n, screening, chairs)
), locked AS (
    SELECT slot.id, wanted.screening, wanted.chairs
    FROM drives_slot AS slot JOIN wanted ON wanted.n = slot.n
    WHERE slot.drive_id = %(drive)s AND slot.n = ANY (%(n)s::int[])
    ORDER BY slot.starts_at, slot.id
    FOR NO KEY UPDATE OF slot
)
UPDATE drives_slot AS slot
SET screening_taken = slot.screening_taken + locked.screening,
    chairs_taken = slot.chairs_taken + locked.chairs,
    over = greatest(
        0,
        slot.screening_taken + locked.screening - slot.screening_limit,
        slot.chairs_taken + locked.chairs - slot.chairs_limit
    )
FROM locked
WHERE slot.id = locked.id
    AND (
        %(forced)s
        OR (locked.screening <= 0 OR slot.screening_taken + locked.screening <= slot.screening_limit)
            AND (locked.chairs <= 0 OR slot.chairs_taken + locked.chairs <= slot.chairs_limit)
    )
RETURNING slot.n
