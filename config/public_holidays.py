"""Public holidays by country and region, from the package ``holidays``: the only place that knows it.

The package is imported with the first question, because most commands ask none.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from config.problems import suggestion

_LANGUAGE = "en_US"


def unknown_country(country: str) -> str | None:
    """What is wrong with the code of a country, naming the nearest one; None where nothing is.

    >>> unknown_country("UA")
    >>> unknown_country("Germany")
    "no country has the code 'Germany'; did you mean 'DE'?"
    """
    from holidays import list_supported_countries
    from holidays.registry import COUNTRIES

    codes = list_supported_countries(include_aliases=True)
    if country in codes:
        return None
    by_name = {module.replace("_", " "): code for module, (_, code, *_) in COUNTRIES.items()}
    named = by_name.get(country.casefold())
    hint = f"; did you mean '{named}'?" if named else suggestion(country, [code for code in codes if len(code) < 4])
    return f"no country has the code {country!r}{hint or '; write one of ISO 3166 such as US'}"


def unknown_subdivision(country: str, subdivision: str) -> str | None:
    """What is wrong with the region of a known country, naming the nearest one; None where nothing is.

    >>> unknown_subdivision("DE", "Bavaria")
    "DE has no subdivision 'Bavaria'; such as BB, BE, BW"
    """
    from holidays import country_holidays

    found = country_holidays(country)
    known = [*found.subdivisions, *found.subdivisions_aliases]
    if subdivision in known:
        return None
    if not known:
        return f"no subdivisions of {country} are known: leave the key out"
    hint = suggestion(subdivision, known) or f"; such as {', '.join(found.subdivisions[:3])}"
    return f"{country} has no subdivision {subdivision!r}{hint}"


@lru_cache(maxsize=4096)
def named_days(country: str, subdivision: str | None, year: int) -> tuple[tuple[date, str], ...]:
    """The public holidays of one year with their English names, ascending.

    A day whose date is estimated (by the moon) has the name of the day itself: what is learned of it is kept by name.
    """
    from holidays import country_holidays

    languages = country_holidays(country).supported_languages
    language = _LANGUAGE if _LANGUAGE in languages else None
    found = country_holidays(country, subdiv=subdivision, years=year, language=language)
    return tuple((day, _certain(name)) for day in sorted(found) for name in found.get_list(day))


def _certain(name: str) -> str:
    return name.replace(" (estimated)", "").replace(", estimated)", ")")
