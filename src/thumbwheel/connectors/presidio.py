"""Presidio's recognisers for national identity numbers, and names by a spaCy model the operator supplies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Final

from thumbwheel.connectors.labels import Look, lowered, places
from thumbwheel.errors import ConfigInvalid, ExtraMissing
from thumbwheel.ports import Found


@dataclass(frozen=True, slots=True)
class _National:
    """One recogniser of Presidio's, and when it is believed."""

    #: Class in presidio_analyzer.predefined_recognizers.
    recogniser: str
    #: Words of which one must stand near the number, unless its form tells enough. Lower case.
    labels: tuple[str, ...]
    #: A form that nothing else has, believed where Presidio's own check holds; None: there is none.
    alone: re.Pattern[str] | None = None


def _national(recogniser: str, labels: str, alone: str | None = None) -> _National:
    form = None if alone is None else re.compile(rf"(?<![A-Za-z0-9])(?:{alone})(?![A-Za-z0-9])")
    return _National(recogniser, tuple(labels.split("|")), form)


_NATIONAL: Final = (
    _national("UkNinoRecognizer", "national insurance|ni number|nino", "[A-Z]{2} ?(?:[0-9]{2} ?){3}[A-D]"),
    _national("EsNifRecognizer", "dni|nif", "[0-9]{8}-?[A-Z]"),
    _national("EsNieRecognizer", "nie", "[XYZ][0-9]{7}-?[A-Z]"),
    _national(
        "ItFiscalCodeRecognizer",
        "codice fiscale|cf",
        "[A-Za-z]{6}[0-9]{2}[A-Za-z][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z]",
    ),
    _national("FiPersonalIdentityCodeRecognizer", "hetu|henkilötunnus", "[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y]"),
    _national("KrRrnRecognizer", "rrn|resident registration number", "[0-9]{6}-[1-4][0-9]{6}"),
    _national("SgFinRecognizer", "fin|nric", "[STFGM][0-9]{7}[A-Z]"),
    _national("NhsRecognizer", "nhs|national health service"),
    _national("UkPassportRecognizer", "passport"),
    _national("AuAbnRecognizer", "abn|australian business number"),
    _national("AuAcnRecognizer", "acn|australian company number"),
    _national("AuMedicareRecognizer", "medicare"),
    _national("AuTfnRecognizer", "tfn|tax file number"),
    _national("InAadhaarRecognizer", "aadhaar|aadhar|uidai"),
    _national("InPanRecognizer", "permanent account number", "[A-Z]{3}[ABCFGHLJPT][A-Z][0-9]{4}[A-Z]"),
    _national("InPassportRecognizer", "passport"),
    _national("InVoterRecognizer", "voter|epic"),
    _national("InGstinRecognizer", "gst|gstin"),
    _national("ItDriverLicenseRecognizer", "patente|licenza"),
    _national("ItIdentityCardRecognizer", "carta d'identità|documento"),
    _national("ItPassportRecognizer", "passaporto"),
    _national("ItVatCodeRecognizer", "piva|partita iva"),
    _national("PlPeselRecognizer", "pesel"),
    _national("ThTninRecognizer", "thai id|thai national id|tnin"),
    _national("NgNinRecognizer", "nin|nimc|national identity number|national identification number"),
    _national("KrFrnRecognizer", "frn|foreigner registration number"),
    _national("KrPassportRecognizer", "passport"),
    _national("KrDriverLicenseRecognizer", "korean driver"),
    _national("MedicalLicenseRecognizer", "dea|medical licen"),
    _national("UsMbiRecognizer", "mbi|medicare|beneficiary"),
    _national("UsNpiRecognizer", "npi|provider id"),
)
#: Digits as every one of these numbers has them, at least: close together, or between the letters of a code.
_ALNUM: Final = re.compile(r"\d\d(?<=[A-Za-z]{2}\d\d)|\d[A-Za-z]{1,5}\d")
#: How far from its label a number stands, in characters. Presidio sees no more of a text than this around a label.
_REACH: Final = 70

#: spaCy's labels -> Presidio's.
_NAMES: Final = {"PERSON": "PERSON", "PER": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION"}


def is_installed() -> bool:
    """Is Presidio here?"""
    return find_spec("presidio_analyzer") is not None


def require() -> None:
    """Do nothing where Presidio is installed.

    Raises:
        ExtraMissing: it is not.
    """
    if not is_installed():
        raise ExtraMissing("National numbers need Presidio: pip install 'thumbwheel[pii]'.")


def may_have_national_numbers(look: Look) -> bool:
    """True for every text in which `national_numbers` finds something. Spares other texts Presidio, and its import."""
    return look.n_digits >= 4 and (look.cluster or _ALNUM.search(look.text) is not None)


def national_numbers(text: str) -> Iterator[Found]:
    """Identity, tax, health and licence numbers of the countries Presidio knows, near a label or in a form of their own.

    Raises:
        ImportError: Presidio is not installed; `require` says so in words.
    """
    small = lowered(text)
    for each in _NATIONAL:
        for start, end in places(small, each.labels):
            yield from _within(each, text, max(0, start - _REACH), end + _REACH)
        for spot in each.alone.finditer(text) if each.alone else ():
            found = _recogniser(each.recogniser)(spot[0])
            yield from (
                Found(name, spot.start() + start, spot.start() + end)
                for name, start, end, score in found
                if score >= 0.5 and end - start == len(spot[0])
            )


def warm() -> None:
    """Import Presidio and make its recognisers now, seconds before a text needs them."""
    for each in _NATIONAL:
        _recogniser(each.recogniser)


def _within(each: _National, text: str, start: int, end: int) -> Iterator[Found]:
    for name, first, last, score in _recogniser(each.recogniser)(text[start:end]):
        if each.alone and score < 0.3:
            continue
        # The window's edge is no end of a word.
        whole = not text[start + first - 1 : start + first + 1].isalnum() if start + first else True
        if whole and not (text[start + last - 1 : start + last + 1].isalnum() and start + last < len(text)):
            yield Found(name, start + first, start + last)


@cache
def _recogniser(name: str) -> Callable[[str], list[tuple[str, int, int, float]]]:
    from presidio_analyzer import predefined_recognizers

    recogniser = getattr(predefined_recognizers, name)()

    def find(text: str) -> list[tuple[str, int, int, float]]:
        results = recogniser.analyze(text, recogniser.supported_entities)
        found = ((result, text[result.start : result.end]) for result in results)
        return [
            # Some of its patterns begin with an optional space.
            (result.entity_type, result.end - len(piece.lstrip()), result.end, result.score)
            for result, piece in found
            if any(map(str.isdigit, piece))
        ]

    return find


def names(model: str) -> Callable[[str], Sequence[Found]]:
    """A finder of people and places by a spaCy model, given by package name or path; none is ever downloaded.

    Raises:
        ExtraMissing: spaCy is not installed.
        ConfigInvalid: there is no such model.
    """
    try:
        import spacy
    except ImportError as missing:
        raise ExtraMissing("Names need spaCy: pip install 'thumbwheel[pii]'.") from missing
    try:
        pipeline = spacy.load(model)
    except OSError as fault:
        raise ConfigInvalid(f"There is no spaCy model {model!r} here; install it, or give its path.") from fault

    def find(text: str) -> list[Found]:
        document = pipeline(text)
        known = ((_NAMES.get(entity.label_), entity) for entity in document.ents)
        return [Found(name, entity.start_char, entity.end_char) for name, entity in known if name]

    return find
