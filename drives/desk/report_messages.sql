-- The messages that were sent to donors, by drive and channel: about bookings, waitlist entries, offers and drives.
-- LATERAL with OFFSET looks up each subject in the index on `about`. A plain join may compare every message with every
-- subject, because the generic plan of a prepared statement guesses that there are few subjects.
WITH subject AS MATERIALIZED (
    SELECT 'booking:' || id AS about, drive_id FROM drives_booking WHERE drive_id = ANY (%(drives)s)
     UNION ALL
    SELECT 'waitlist:' || id, drive_id FROM drives_waitlistentry WHERE drive_id = ANY (%(drives)s)
     UNION ALL
    SELECT 'offer:' || offer.id, entry.drive_id FROM drives_offer AS offer
      JOIN drives_waitlistentry AS entry ON entry.id = offer.entry_id WHERE entry.drive_id = ANY (%(drives)s)
     UNION ALL
    SELECT 'drive:' || id, id FROM unnest(%(drives)s::bigint[]) AS id
)
SELECT subject.drive_id, message.channel, count(*), coalesce(sum(message.segments), 0), count(message.segments)
  FROM subject
 CROSS JOIN LATERAL (
       SELECT channel, segments FROM notifications_message AS message
        WHERE message.about = subject.about AND message.organization_id = %(organization)s
          AND message.state = ANY (%(left)s) AND message.kind <> ALL (%(to_members)s)
       OFFSET 0
 ) AS message
 GROUP BY subject.drive_id, message.channel
