-- A new booking with the first step of its history. Columns that are not named are empty in a new booking.
WITH booking AS (
    INSERT INTO drives_booking (
        uuid, epoch, link_hash, reference, drive_id, arrival_id, starts_at, volunteer_id, registration_id, party, visit,
        state, source, held_until, first_step, screening_steps, chair_from, chair_to, holds_place, revision,
        confirmed_policy_id, confirms, override_reason, created_at, changed_at, cancelled_by, cancelled_late
    ) VALUES (
        %(uuid)s, %(epoch)s, %(link_hash)s, %(reference)s, %(drive_id)s, %(arrival_id)s, %(starts_at)s,
        %(volunteer_id)s, %(registration_id)s, %(party)s, %(visit)s, %(state)s, %(source)s, %(held_until)s,
        %(first_step)s, %(screening_steps)s, %(chair_from)s, %(chair_to)s, %(holds_place)s, %(revision)s,
        %(confirmed_policy_id)s, %(confirms)s, '', %(created_at)s, %(changed_at)s, '', false
    ) RETURNING id, state, arrival_id, created_at
)
INSERT INTO drives_bookingchange (booking_id, from_state, to_state, to_arrival_id, actor, reason, at)
SELECT id, '', state, arrival_id, %(actor)s, '', created_at FROM booking
RETURNING booking_id
