"""Texts in the database outlive the version that wrote them."""

from __future__ import annotations

import json

from alerting.store.encoding import incident_from, incident_text, reading_from, reading_text
from tests.store.builders import incident, reading


def test_readings_and_incidents_come_back_as_they_were() -> None:
    one = reading()
    assert one.calendar
    assert reading_text(reading_from(reading_text(one))) == reading_text(one)
    assert incident_text(incident_from(incident_text(incident()))) == incident_text(incident())
    assert reading_from(reading_text(one)).calendar == one.calendar


def test_a_reading_from_before_there_were_calendars_is_of_an_ordinary_day() -> None:
    fields = json.loads(reading_text(reading()))
    del fields["calendar"]
    assert reading_from(json.dumps(fields)).calendar == ""
