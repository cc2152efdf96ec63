from django.urls import path

from drives.settings import views_audit, views_keys, views_members, views_organization, views_setup, views_texting

organizer_urls = [
    path("setup/", views_setup.show_setup, name="organizer_setup"),
    path("setup/next/", views_setup.go_to_next_step, name="organizer_next_setup_step"),
    path("settings/", views_organization.show_settings, name="organizer_settings"),
    path("settings/members/", views_members.show_members, name="organizer_members"),
    path("settings/members/invite/", views_members.invite_member, name="organizer_invite_member"),
    path("settings/members/<int:pk>/", views_members.edit_member, name="organizer_member"),
    path("settings/members/<int:pk>/remove/", views_members.remove_member, name="organizer_remove_member"),
    path(
        "settings/members/<int:pk>/end-sessions/",
        views_members.end_member_sessions,
        name="organizer_end_member_sessions",
    ),
    path("settings/invitations/<int:pk>/resend/", views_members.resend_invitation, name="organizer_resend_invitation"),
    path(
        "settings/invitations/<int:pk>/withdraw/",
        views_members.withdraw_invitation,
        name="organizer_withdraw_invitation",
    ),
    path("settings/invite-organization/", views_members.invite_founder, name="organizer_invite_founder"),
    path("settings/keys/", views_keys.show_keys, name="organizer_keys"),
    path("settings/keys/new/", views_keys.create_key, name="organizer_create_key"),
    path("settings/keys/<int:pk>/revoke/", views_keys.revoke_key, name="organizer_revoke_key"),
    path("settings/texting/", views_texting.show_texting, name="organizer_texting"),
    path("settings/texting/number/", views_texting.edit_number, name="organizer_texting_number"),
    path("settings/texting/number/default/", views_texting.use_default_number, name="organizer_default_number"),
    path("settings/texting/check/", views_texting.check_sending, name="organizer_check_sending"),
    path("settings/texting/text/", views_texting.send_test_text, name="organizer_send_test_text"),
    path("settings/texting/mail/", views_texting.send_test_mail, name="organizer_send_test_mail"),
    path("settings/texting/registration/", views_texting.show_registration, name="organizer_registration"),
    path("settings/texting/mail-domain/", views_texting.show_mail_domain, name="organizer_mail_domain"),
    path("settings/audit/", views_audit.show_audit_log, name="organizer_audit_log"),
    path("settings/audit.csv", views_audit.download_audit_log, name="organizer_audit_csv"),
    path("settings/organization/<slug:page>/", views_organization.edit_settings_page, name="organizer_settings_page"),
]
