"""The sample is what its sources published, on the clock they meant."""

from datetime import UTC, datetime

import numpy as np

from alerting import sample
from detectors.buckets import Bucket


def test_the_taxi_series_is_the_published_one() -> None:
    rows = sample.series()[0].rows()
    # NAB publishes 10,320 half hours from 1 July 2014, 10,844 passengers in the first.
    assert (len(rows), rows[0]) == (10_320, (datetime.fromisoformat("2014-07-01"), 10_844.0))
    assert rows[-1] == (datetime.fromisoformat("2015-01-31T23:30"), 26_288.0)


def test_readings_are_bucket_starts_in_utc_and_ascending() -> None:
    for one in sample.series():
        times, values = one.readings()
        assert len(times) == len(values) > 1000
        assert np.all(np.diff(times) > np.timedelta64(0, "us"))
        np.testing.assert_array_equal(Bucket.parse(one.bucket).floor(times, one.timezone), times)


def test_the_repeated_hour_of_new_york_has_no_reading_of_its_own() -> None:
    times, values = sample.series()[0].readings()
    doubled = values[times == np.datetime64("2014-11-02T05:00")]
    assert doubled.tolist() == [39_197.0]
    assert not np.any(times == np.datetime64("2014-11-02T06:00"))
    assert np.any(times == np.datetime64("2014-11-02T07:00"))


def test_labels_name_the_five_taxi_windows_in_utc() -> None:
    taxi = [label for label in sample.labels() if label.series == "nyc-taxi"]
    assert [label.name for label in taxi] == ["NYC marathon", "Thanksgiving", "Christmas", "New Year", "blizzard"]
    assert taxi[1].start == datetime(2014, 11, 25, 17, tzinfo=UTC)
    assert "two hours" in taxi[0].note


def test_every_label_lies_in_its_series_and_every_purchase_series_has_one() -> None:
    spans = {one.name: one.readings()[0] for one in sample.series()}
    for label in sample.labels():
        first, last = (spans[label.series][k].item().replace(tzinfo=UTC) for k in (0, -1))
        assert first <= label.start < label.end <= last
    assert {label.series for label in sample.labels()} == set(spans)


def test_every_file_is_on_disk_and_its_source_in_the_licences() -> None:
    licences = (sample.series()[0].path().parent / "LICENSES.md").read_text(encoding="utf-8")
    for one in sample.series():
        assert one.path().name in licences
        assert one.source.split("@")[1].split()[0] in licences
