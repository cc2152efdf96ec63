from django.apps import AppConfig


class DrivesConfig(AppConfig):
    name = "drives"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.urls import register_converter

        from drives.api import converters

        register_converter(converters.IdConverter, "id")
