"""Addresses under /organizer/ that plan and run drives."""

from django.urls import path

from drives.attendance import views_organizer
from drives.booking import views_organizer as booking_views_organizer
from drives.desk import views_consents, views_drive, views_home, views_people
from drives.inbox import views_organizer as inbox_views_organizer
from drives.messaging import views_broadcasts, views_calls, views_texts
from drives.messaging import views_organizer as messaging_views_organizer
from drives.planning import views_lifecycle, views_plan, views_sites
from drives.privacy import views_organizer as privacy_views_organizer
from drives.privacy import views_retention
from drives.waitlist import views_organizer as waitlist_views_organizer

urlpatterns = [
    path("", views_home.home, name="organizer_home"),
    path("drives/", views_home.drives, name="organizer_drives"),
    path("drives/new/", views_plan.new_drive, name="organizer_new_drive"),
    path("drives/<int:drive_id>/", views_drive.desk, name="organizer_drive"),
    path("drives/<int:drive_id>/plan/", views_plan.edit_drive, name="organizer_plan"),
    path("drives/<int:drive_id>/roster/", views_drive.roster_sheet, name="organizer_roster"),
    path("drives/<int:drive_id>/roster.csv", views_drive.roster_csv, name="organizer_roster_csv"),
    path("drives/<int:drive_id>/publish/", views_lifecycle.publish, name="organizer_publish"),
    path("drives/<int:drive_id>/close/", views_lifecycle.close, name="organizer_close"),
    path("drives/<int:drive_id>/cancel/", views_lifecycle.cancel_drive, name="organizer_cancel_drive"),
    path("drives/<int:drive_id>/copy/", views_lifecycle.copy_drive, name="organizer_copy_drive"),
    path("drives/<int:drive_id>/turnout/", views_organizer.report, name="organizer_turnout"),
    path("drives/<int:drive_id>/turnout/complete/", views_organizer.complete, name="organizer_complete"),
    path("drives/<int:drive_id>/waiting/", waitlist_views_organizer.waiting, name="organizer_waiting"),
    path("drives/<int:drive_id>/waiting/new/", waitlist_views_organizer.enter, name="organizer_wait"),
    path("drives/<int:drive_id>/waiting/close/", waitlist_views_organizer.close, name="organizer_close_line"),
    path(
        "drives/<int:drive_id>/waiting/<int:entry_id>/remove/",
        waitlist_views_organizer.remove,
        name="organizer_wait_remove",
    ),
    path("drives/<int:drive_id>/bookings/new/", booking_views_organizer.enter, name="organizer_enter"),
    path("bookings/<int:booking_id>/", booking_views_organizer.booking, name="organizer_booking"),
    path("bookings/<int:booking_id>/move/", booking_views_organizer.move, name="organizer_move"),
    path("bookings/<int:booking_id>/move-all/", booking_views_organizer.move_all, name="organizer_move_all"),
    path("bookings/<int:booking_id>/cancel/", booking_views_organizer.cancel, name="organizer_cancel"),
    path("bookings/<int:booking_id>/again/", booking_views_organizer.send_again, name="organizer_again"),
    path("bookings/<int:booking_id>/consents/", views_consents.stop, name="organizer_consents"),
    path("people/<int:pk>/", views_people.person, name="organizer_person"),
    path("people/<int:pk>/same/<int:other>/", views_people.merge, name="organizer_merge"),
    path("drives/<int:drive_id>/messages/", messaging_views_organizer.drive_plan, name="organizer_drive_messages"),
    path(
        "drives/<int:drive_id>/messages/preview/",
        messaging_views_organizer.preview_plan,
        name="organizer_preview_drive_messages",
    ),
    path("messages/", messaging_views_organizer.overview, name="organizer_messages"),
    path("messages/plan/", messaging_views_organizer.plan, name="organizer_message_plan"),
    path("messages/plan/preview/", messaging_views_organizer.preview_plan, name="organizer_preview_message_plan"),
    path("messages/sending/", messaging_views_organizer.sending, name="organizer_sending"),
    path("messages/texts/<slug:kind>/<slug:language>/", views_texts.words, name="organizer_words"),
    path(
        "messages/texts/<slug:kind>/<slug:language>/preview/",
        views_texts.preview_words,
        name="organizer_preview_words",
    ),
    path("drives/<int:drive_id>/broadcasts/", views_broadcasts.broadcasts, name="organizer_broadcasts"),
    path("drives/<int:drive_id>/broadcasts/new/", views_broadcasts.write, name="organizer_write"),
    path("broadcasts/<int:pk>/", views_broadcasts.broadcast, name="organizer_broadcast"),
    path("broadcasts/<int:pk>/stop/", views_broadcasts.stop, name="organizer_stop_broadcast"),
    path("drives/<int:drive_id>/calls/", views_calls.calls, name="organizer_calls"),
    path("drives/<int:drive_id>/calls/<int:booking_id>/reached/", views_calls.reached, name="organizer_reached"),
    path("drives/<int:drive_id>/calls/<int:booking_id>/undo/", views_calls.not_reached, name="organizer_not_reached"),
    path("replies/", inbox_views_organizer.replies, name="organizer_replies"),
    path("replies/length/", inbox_views_organizer.measure, name="organizer_measure"),
    path("replies/<int:pk>/", inbox_views_organizer.thread, name="organizer_reply"),
    path("replies/<int:pk>/answer/", inbox_views_organizer.answer, name="organizer_answer"),
    path("replies/<int:pk>/done/", inbox_views_organizer.done, name="organizer_reply_done"),
    path(
        "replies/<int:pk>/cancel/<int:booking_id>/", inbox_views_organizer.cancel_booking, name="organizer_reply_cancel"
    ),
    path("people/<int:volunteer_id>/export.json", privacy_views_organizer.export, name="organizer_export"),
    path("people/<int:volunteer_id>/erase/", privacy_views_organizer.erase, name="organizer_erase"),
    path("settings/retention/", views_retention.retention, name="organizer_retention"),
    path("places/", views_sites.overview, name="organizer_directory"),
    path("places/sites/new/", views_sites.new_site, name="organizer_new_site"),
    path("places/sites/<int:pk>/", views_sites.edit_site, name="organizer_site"),
    path("places/centers/new/", views_sites.new_collector, name="organizer_new_collector"),
    path("places/centers/<int:pk>/", views_sites.edit_collector, name="organizer_collector"),
    path("places/causes/new/", views_sites.new_cause, name="organizer_new_cause"),
    path("places/causes/<int:pk>/", views_sites.edit_cause, name="organizer_cause"),
]
