// Reads calendars as ical.js (Thunderbird, Nextcloud) and node-ical (Home Assistant, MagicMirror) do.
// In: {"name": "text of a calendar"}. Out: {"name": {"ical.js": [event, ...], "node-ical": [event, ...]}}.
import { readFileSync } from 'node:fs'
import ICAL from 'ical.js'
import nodeIcal from 'node-ical'

function icalJs(text) {
  const calendar = new ICAL.Component(ICAL.parse(text))
  const method = calendar.getFirstPropertyValue('method') ?? ''
  return calendar.getAllSubcomponents('vevent').map((component) => {
    const event = new ICAL.Event(component)
    return {
      uid: event.uid,
      sequence: event.sequence,
      starts: event.startDate.toJSDate().toISOString(),
      ends: event.endDate.toJSDate().toISOString(),
      status: component.getFirstPropertyValue('status'),
      method,
      summary: event.summary,
      attendees: event.attendees.length,
    }
  })
}

function nodeIcalJs(text) {
  const parsed = Object.values(nodeIcal.sync.parseICS(text))
  const calendar = parsed.find((part) => part.type === 'VCALENDAR')
  return parsed.filter((part) => part.type === 'VEVENT').map((event) => ({
    uid: event.uid,
    sequence: Number(event.sequence),
    starts: event.start.toISOString(),
    ends: event.end.toISOString(),
    status: event.status,
    method: calendar?.method ?? event.method ?? '',
    summary: event.summary,
    attendees: event.attendee ? [event.attendee].flat().length : 0,
  }))
}

const calendars = Object.entries(JSON.parse(readFileSync(0, 'utf8')))
const read = calendars.map(([name, text]) => [name, { 'ical.js': icalJs(text), 'node-ical': nodeIcalJs(text) }])
process.stdout.write(JSON.stringify(Object.fromEntries(read)))
