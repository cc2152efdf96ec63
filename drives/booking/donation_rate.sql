-- The bookings at the organization's most recent closed-out drives, and how many of them led to a donation.
--
-- Early cancellations and walk-ins do not count. Uses booking_of_a_drive.
WITH recent AS (
    SELECT id FROM drives_drive
    WHERE organization_id = %(organization)s AND closed_out_at IS NOT NULL AND state <> 'cancelled'
    ORDER BY ends_at DESC, id DESC
    LIMIT %(most)s
)
SELECT count(*) FILTER (WHERE booking.state = 'donated'), count(*)
FROM recent
JOIN drives_booking AS booking ON booking.drive_id = recent.id
WHERE booking.state NOT IN ('held', 'lapsed') AND booking.source <> 'walk_in'
    AND (booking.state <> 'cancelled' OR booking.cancelled_late)
