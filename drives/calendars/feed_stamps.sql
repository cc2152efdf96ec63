-- The bookings in a feed, in order. Each has a stamp that changes whenever the booking or its drive changes.
SELECT booking.id, concat_ws(':', booking.id, hashtextextended(booking.state, hash_record_extended(
        ROW(booking.changed_at, drive.changed_at), booking.id # (booking.revision::bigint << 40))))
FROM drives_booking AS booking JOIN drives_drive AS drive ON drive.id = booking.drive_id
WHERE booking.volunteer_id = %(volunteer)s
    AND (booking.state IN ('booked', 'confirmed', 'checked_in', 'donated', 'incomplete', 'deferred', 'left')
        OR booking.state = 'cancelled' AND booking.cancelled_at > %(since)s)
ORDER BY booking.starts_at, booking.id
