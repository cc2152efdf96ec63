-- The feed for a link, and a fingerprint that changes whenever one of its bookings or their drives changes.
-- Returns one row instead of all bookings, because calendar apps ask every hour, and usually nothing has changed.
-- feed_stamps.sql reads the same bookings and hashes the same columns.
SELECT volunteer.id, organization.name, volunteer.language,
    (SELECT sum(hashtextextended(booking.state, hash_record_extended(
            ROW(booking.changed_at, drive.changed_at), booking.id # (booking.revision::bigint << 40))))::text
        FROM drives_booking AS booking JOIN drives_drive AS drive ON drive.id = booking.drive_id
        WHERE booking.volunteer_id = volunteer.id
            AND (booking.state IN ('booked', 'confirmed', 'checked_in', 'donated', 'incomplete', 'deferred', 'left')
                OR booking.state = 'cancelled' AND booking.cancelled_at > %(since)s))
FROM volunteers_volunteer AS volunteer
JOIN organizations_organization AS organization ON organization.id = volunteer.organization_id
WHERE volunteer.link_hash = %(link_hash)s
