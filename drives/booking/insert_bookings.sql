-- Insert bookings and the first history row of each. Columns that are not listed stay empty.
-- Ids increase in the order of the input, because the caller matches them to the bookings by position.
WITH booking AS (
    INSERT INTO drives_booking (
        uuid, epoch, link_hash, link_seal, reference, drive_id, arrival_id, starts_at, volunteer_id, registration_id, party,
        visit, state, source, held_until, is_extended, first_step, screening_steps, chair_from, chair_to, is_counted, revision,
        self_check_policy_id, self_check, override_reason, overridden_rules, created_at, changed_at, cancelled_by,
        cancelled_late, share_link_id
    )
    SELECT uuid, epoch, link_hash, link_seal, reference, drive_id, arrival_id, starts_at, volunteer_id, registration_id,
        party, visit, state, source, held_until, is_extended, first_step, screening_steps, chair_from, chair_to, is_counted,
        revision, self_check_policy_id, self_check, '', '[]'::jsonb, created_at, changed_at, '', false,
        share_link_id
    FROM jsonb_array_elements(%(bookings)s::jsonb) WITH ORDINALITY AS sent (value, position)
    CROSS JOIN LATERAL jsonb_populate_record(NULL::drives_booking, sent.value)
    ORDER BY sent.position
    RETURNING id, state, arrival_id, created_at
)
INSERT INTO drives_bookingchange (booking_id, from_state, to_state, to_arrival_id, actor, reason, at)
SELECT id, '', state, arrival_id, %(actor)s, '', created_at FROM booking
RETURNING booking_id
