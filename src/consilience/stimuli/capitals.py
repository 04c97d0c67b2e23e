"""The capitals of the world: where each lies, what it is called, and on which continent, from GeoNames."""

from __future__ import annotations

import json

from .stimuli import Stimuli


def read(name, row, folder):
    """The capitals, by the two letters of their country; of places with the capital's name, the largest is it.

    The text is "Paris, France", the label the continent's two letters.
    """
    countries, cities = (json.loads((folder / path).read_text(encoding="utf-8")) for path in row["files"])
    found = {code: capital(country, cities.values()) for code, country in sorted(countries.items())}
    codes = [code for code, city in found.items() if city]
    return Stimuli(
        name=name,
        ids=tuple(codes),
        texts={"en": tuple(f"{found[code]['name']}, {countries[code]['name']}" for code in codes)},
        places=tuple((found[code]["latitude"], found[code]["longitude"]) for code in codes),
        labels=tuple(countries[code]["continentcode"] for code in codes),
        licence=row["licence"],
        credit=row["credit"],
    )


def capital(country, cities):
    """The city that is the country's capital; None if there is none of 15,000 people by this name."""
    named = [
        city
        for city in cities
        if city["countrycode"] == country["iso"] and country["capital"] in (city["name"], *city["alternatenames"])
    ]
    return max(named, key=lambda city: (city["name"] == country["capital"], city["population"]), default=None)
