-- The bookings of drives by the number of days before the drive: how many donors made one, and how many cancelled one.
--
-- Days are those of the drive's site. Everything earlier than %(most)s days before the drive counts on that day, and
-- everything after the day of the drive on that day, so that the number of rows is limited. Uses booking_of_a_drive. It
-- reads each booking once, because PostgreSQL may start parallel workers for a UNION, which takes 15 ms.
SELECT booking.drive_id,
    least(%(most)s, greatest(0, drive.day - (change.at AT TIME ZONE site.timezone)::date)) AS days_before,
    sum(change.made)::int, sum(change.cancelled)::int
FROM drives_booking AS booking
JOIN drives_drive AS drive ON drive.id = booking.drive_id
JOIN drives_site AS site ON site.id = drive.site_id
CROSS JOIN LATERAL (
    VALUES (booking.created_at, 1, 0), (CASE WHEN booking.state = 'cancelled' THEN booking.cancelled_at END, 0, 1)
) AS change (at, made, cancelled)
WHERE booking.drive_id = ANY(%(drives)s) AND change.at IS NOT NULL
    AND booking.state NOT IN ('held', 'lapsed') AND booking.source <> 'walk_in'
GROUP BY 1, 2
