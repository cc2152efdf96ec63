-- The bookings of drives by the number of days before the drive: how many donors made one, and how many cancelled one.
--
-- Days are those of the drive's site. Everything earlier than %(most)s days before the drive counts on that day, and
-- everything after the day of the drive on that day, so that the number of rows is limited. Uses booking_of_a_drive.
SELECT drive_id, least(%(most)s, greatest(0, days)) AS days_before, sum(made)::int, sum(cancelled)::int
FROM (
    SELECT booking.drive_id, drive.day - (booking.created_at AT TIME ZONE site.timezone)::date AS days,
        1 AS made, 0 AS cancelled
    FROM drives_booking AS booking
    JOIN drives_drive AS drive ON drive.id = booking.drive_id
    JOIN drives_site AS site ON site.id = drive.site_id
    WHERE booking.drive_id = ANY(%(drives)s)
        AND booking.state NOT IN ('held', 'lapsed') AND booking.source <> 'walk_in'
    UNION ALL
    SELECT booking.drive_id, drive.day - (booking.cancelled_at AT TIME ZONE site.timezone)::date, 0, 1
    FROM drives_booking AS booking
    JOIN drives_drive AS drive ON drive.id = booking.drive_id
    JOIN drives_site AS site ON site.id = drive.site_id
    WHERE booking.drive_id = ANY(%(drives)s) AND booking.state = 'cancelled' AND booking.source <> 'walk_in'
) AS changes
GROUP BY 1, 2
