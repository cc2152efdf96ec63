from drives.web import charts
from drives.web.charts import Bar


def test_lengths_are_shares_of_the_longest_outline() -> None:
    chart = charts.build_chart([("9 AM", "3 of 4", 3, 4), ("10 AM", "5 of 10", 5, 10), ("11 AM", "0 of 0", 0, 0)])
    assert chart.bars == [
        Bar("9 AM", "3 of 4", 0, 30, 40),
        Bar("10 AM", "5 of 10", 3, 50, 100),
        Bar("11 AM", "0 of 0", 6, 0, 0),
    ]
    assert chart.height == 9


def test_a_part_is_never_longer_than_its_outline() -> None:
    [bar] = charts.build_chart([("Fill rate", "120%", 120, 100)]).bars
    assert (bar.part_length, bar.whole_length) == (100, 100)


def test_a_chart_of_nothing_is_empty() -> None:
    assert charts.build_chart([]).height == 0
    [bar] = charts.build_chart([("9 AM", "0 of 0", 0, 0)]).bars
    assert (bar.part_length, bar.whole_length) == (0, 0)
