"""The shapes of what a plan would make."""

from rest_framework.serializers import CharField, DateTimeField, IntegerField

from drives.api.shapes import Shape


class PlanProblem(Shape):
    code = CharField()
    field = CharField()
    detail = CharField()


class PreviewTime(Shape):
    starts_at = DateTimeField()
    chairs = IntegerField()
    first_places = IntegerField()
    return_places = IntegerField()


class Preview(Shape):
    problems = PlanProblem(many=True)
    warnings = PlanProblem(many=True)
    timezone = CharField()
    times = PreviewTime(many=True)
    first_visits = IntegerField()
    return_visits = IntegerField()
