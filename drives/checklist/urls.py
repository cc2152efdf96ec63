from django.urls import path

from drives.checklist import views_organizer, views_template

organizer_urls = [
    path("drives/<int:drive_id>/checklist/", views_organizer.show_checklist, name="organizer_checklist"),
    path("drives/<int:drive_id>/checklist/add/", views_organizer.add_own_task, name="organizer_add_own_task"),
    path(
        "drives/<int:drive_id>/checklist/<slug:code>/remove/",
        views_organizer.remove_own_task,
        name="organizer_remove_own_task",
    ),
    path(
        "drives/<int:drive_id>/checklist/<slug:code>/done/",
        views_organizer.check_off_task,
        name="organizer_check_off_task",
    ),
    path(
        "drives/<int:drive_id>/checklist/<slug:code>/reopen/",
        views_organizer.reopen_task,
        name="organizer_reopen_task",
    ),
    path("settings/checklist/", views_template.show_template, name="organizer_checklist_template"),
    path("settings/checklist/new/", views_template.add_template_task, name="organizer_add_template_task"),
    path(
        "settings/checklist/default/",
        views_template.restore_default_template,
        name="organizer_restore_default_template",
    ),
    path("settings/checklist/<slug:code>/", views_template.change_template_task, name="organizer_template_task"),
    path(
        "settings/checklist/<slug:code>/move/", views_template.move_template_task, name="organizer_move_template_task"
    ),
    path(
        "settings/checklist/<slug:code>/remove/",
        views_template.remove_template_task,
        name="organizer_remove_template_task",
    ),
]
