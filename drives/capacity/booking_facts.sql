-- The facts about one slot of a drive that the booking rules need.
--
-- The sub-selects use one_slot_per_drive_and_step, booking_held_at_a_drive, registration_identity and
-- one_active_booking_per_volunteer_and_drive. Use min(held_until) instead of EXISTS, because for EXISTS PostgreSQL
-- expects an early match and scans the whole table if there is none. Use FILTER instead of WHERE for a contact's live
-- holds, because with WHERE PostgreSQL may start from the live holds of all contacts.
SELECT drive.state, drive.ends_at, slot.id, slot.n, slot.starts_at, slot.open,
    (SELECT max(n) + 1 FROM drives_slot WHERE drive_id = drive.id) AS steps,
    coalesce(
        (SELECT min(held_until) FROM drives_booking WHERE drive_id = drive.id AND state = 'held') <= %(now)s, false
    ) AS has_overdue_holds,
    (
        SELECT count(DISTINCT coalesce(booking.party, booking.uuid))
            FILTER (WHERE booking.state = 'held' AND booking.held_until > %(now)s)
        FROM volunteers_registration AS typed JOIN drives_booking AS booking ON booking.registration_id = typed.id
        WHERE typed.identity = %(identity)s
    ) AS live_hold_count,
    EXISTS (
        SELECT FROM drives_booking
        WHERE volunteer_id = %(volunteer)s AND drive_id = drive.id AND state IN ('booked', 'confirmed', 'checked_in')
    ) AS has_active_booking,
    EXISTS (
        SELECT FROM drives_slot AS step
        WHERE step.drive_id = drive.id AND step.n >= slot.n AND step.n < slot.n + %(steps)s
            AND CASE WHEN step.n < slot.n + %(screening)s THEN step.screening_taken >= step.screening_limit
                ELSE step.chairs_taken >= step.chairs_limit END
    ) AS is_full
FROM drives_drive AS drive LEFT JOIN drives_slot AS slot ON slot.id = %(slot)s AND slot.drive_id = drive.id
WHERE drive.id = %(drive)s
