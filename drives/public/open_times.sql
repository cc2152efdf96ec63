-- The steps of a public drive, what is free in each, and how long visits take.
-- Start times are in seconds, because Python takes longer to parse 40 timestamps than PostgreSQL takes to find them.
SELECT drive.state, site.timezone,
    drive.first_screening_steps, drive.first_chair_steps, drive.return_screening_steps, drive.return_chair_steps,
    slot.id, extract(epoch FROM slot.starts_at)::bigint, slot.open,
    slot.screening_limit - slot.screening_taken, slot.chairs_limit - slot.chairs_taken
FROM drives_drive AS drive
    JOIN drives_site AS site ON site.id = drive.site_id
    LEFT JOIN drives_slot AS slot ON slot.drive_id = drive.id
WHERE drive.id = %(drive)s AND drive.state <> 'draft'
ORDER BY slot.n
