-- For each drive with waiting donors, or for one drive: a fingerprint of the waiting entries and the free capacity, and
-- whether a check of the waitlist is due. A check is also due while a reserved spot has no offer, and when the last
-- check is older than `since`, because a donor's eligibility may have changed elsewhere, such as by a booking at
-- another drive. The subqueries make PostgreSQL read only these drives, whatever it guesses about their number.
WITH waiting AS (
    SELECT drive_id, string_agg(concat_ws(' ', id, visit, joined_at, changed_at), ',' ORDER BY id) AS entries
      FROM drives_waitlistentry
     WHERE state = 'waiting' AND (%(drive)s::bigint IS NULL OR drive_id = %(drive)s)
     GROUP BY drive_id
), current AS MATERIALIZED (
    SELECT drive_id, md5(concat_ws('/', entries,
           (SELECT version FROM drives_drive WHERE id = drive_id),
           (SELECT sum(hash_record_extended(
                       ROW (slot.n, slot.open, screening_limit - screening_taken, chairs_limit - chairs_taken), 0))
              FROM drives_slot AS slot WHERE slot.drive_id = waiting.drive_id))) AS fingerprint
      FROM waiting
)
SELECT drive_id, fingerprint,
       (SELECT checked.fingerprint = current.fingerprint AND checked.checked_at > %(since)s
          FROM drives_offercheck AS checked WHERE checked.drive_id = current.drive_id) IS NOT TRUE
  FROM current
 UNION ALL
SELECT DISTINCT drive_id, '', true FROM drives_reservedspot AS spot
 WHERE %(drive)s::bigint IS NULL AND NOT EXISTS (SELECT FROM drives_offer WHERE reserved_spot_id = spot.id)
