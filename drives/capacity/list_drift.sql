-- List the slots with counters that differ from counted bookings and reserved spots. After a move, a reserved spot's
-- screening and chair steps may overlap. Such a step counts in both. LATERAL makes PostgreSQL read only these drives.
SELECT drive.id, drifted.n, drifted.starts_at, drifted.screening_taken, drifted.screening, drifted.chairs_taken,
       drifted.chairs FROM drives_drive AS drive
 CROSS JOIN LATERAL (
       WITH footprint AS (
           SELECT first_step, first_step + screening_steps AS screened, chair_from, chair_to
             FROM drives_booking WHERE drive_id = drive.id AND is_counted
            UNION ALL
           SELECT first_step, first_step + screening_steps, chair_from, chair_to
             FROM drives_reservedspot WHERE drive_id = drive.id
       ), used AS (
           SELECT n, count(*) FILTER (WHERE n >= first_step AND n < screened) AS screening,
                  count(*) FILTER (WHERE n >= chair_from AND n < chair_to) AS chairs
             FROM footprint CROSS JOIN LATERAL generate_series(
                  least(first_step, chair_from), greatest(screened, chair_to) - 1) AS n
            GROUP BY n
       )
       SELECT slot.n, slot.starts_at, slot.screening_taken, slot.chairs_taken, coalesce(used.screening, 0) AS screening,
              coalesce(used.chairs, 0) AS chairs FROM drives_slot AS slot LEFT JOIN used ON used.n = slot.n
        WHERE slot.drive_id = drive.id AND (slot.screening_taken <> coalesce(used.screening, 0)
           OR slot.chairs_taken <> coalesce(used.chairs, 0))
 ) AS drifted
 WHERE drive.state <> ALL (%(left_out)s) AND (%(drive)s::bigint IS NULL OR drive.id = %(drive)s)
 ORDER BY drive.id, drifted.n
