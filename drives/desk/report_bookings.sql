-- The verified bookings of many drives, read once and counted: by drive and visit type, and at finished drives by local
-- hour, by source, and by days from the booking to the drive. More bookings do not make more rows.
WITH booking AS MATERIALIZED (
    SELECT booking.drive_id, booking.visit, booking.state, booking.source, booking.source = 'walk_in' AS is_walk_in,
           booking.share_link_id IS NOT NULL AS has_link,
           booking.drive_id = ANY (%(finished)s) AS is_finished,
           extract(hour FROM booking.starts_at AT TIME ZONE site.timezone)::int AS hour,
           least(greatest(drive.day - (booking.created_at AT TIME ZONE site.timezone)::date, 0), %(most_days)s) AS days
      FROM drives_booking AS booking
      JOIN drives_drive AS drive ON drive.id = booking.drive_id
      JOIN drives_site AS site ON site.id = drive.site_id
     WHERE booking.drive_id = ANY (%(drives)s) AND booking.state <> ALL (%(unverified)s)
)
SELECT 'drive', drive_id, visit, is_walk_in, state, count(*)
  FROM booking GROUP BY drive_id, visit, is_walk_in, state
 UNION ALL
SELECT 'hour', hour, '', is_walk_in, state, count(*)
  FROM booking WHERE is_finished GROUP BY hour, is_walk_in, state
 UNION ALL
SELECT 'source', has_link::int, source, is_walk_in, state, count(*)
  FROM booking WHERE is_finished GROUP BY has_link, source, is_walk_in, state
 UNION ALL
SELECT 'days', days, '', is_walk_in, state, count(*)
  FROM booking WHERE is_finished AND NOT is_walk_in GROUP BY days, is_walk_in, state
