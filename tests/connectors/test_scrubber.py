"""The scrubber: finds what has a form, leaves ordinary text alone, and its gates let nothing through."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st

from thumbwheel.capture.privacy import PrivacyRules, admit_trace
from thumbwheel.connectors import kingfisher, presidio
from thumbwheel.connectors.forms import may_have_urls, urls
from thumbwheel.connectors.labels import Look
from thumbwheel.connectors.scrubber import PatternScrubber
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import ConfigInvalid, ExtraMissing

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_presidio = pytest.mark.skipif(not presidio.is_installed(), reason="Presidio is not installed")
needs_kingfisher = pytest.mark.skipif(not kingfisher.is_installed(), reason="Kingfisher is not installed")

OWN = PatternScrubber(national=False, secret_scanner=False)


def found(text: str, scrubber: PatternScrubber = OWN) -> list[tuple[str, str]]:
    return [(each.type, text[each.start : each.end]) for each in scrubber.find(text)]


@pytest.mark.parametrize(
    ("text", "kind", "piece"),
    [
        ("Write to jane.o'neil+tag@mail.example.co.uk, please.", "EMAIL_ADDRESS", "jane.o'neil+tag@mail.example.co.uk"),
        ("<a href='mailto:j@x.org'>", "EMAIL_ADDRESS", "j@x.org"),
        ("GET /?a=1&mail=j_doe@x.org&b=2", "EMAIL_ADDRESS", "j_doe@x.org"),
        ("поча@пример.рф", "EMAIL_ADDRESS", "поча@пример.рф"),
        ("my card 4111 1111 1111 1111 exp 09/27", "CREDIT_CARD", "4111 1111 1111 1111"),
        ("4111-1111-1111-1111 123", "CREDIT_CARD", "4111-1111-1111-1111"),
        ("amex 3782 822463 10005.", "CREDIT_CARD", "3782 822463 10005"),
        ("2223003122003222 is a newer Mastercard", "CREDIT_CARD", "2223003122003222"),
        ("credit card 4111111111111112 (mistyped)", "CREDIT_CARD", "4111111111111112"),
        ("pay to DE89 3704 0044 0532 0130 00 today", "IBAN_CODE", "DE89 3704 0044 0532 0130 00"),
        ("gb82west12345698765432", "IBAN_CODE", "gb82west12345698765432"),
        ("IBAN: FR76 3000 6000 0112 3456 7890 180", "IBAN_CODE", "FR76 3000 6000 0112 3456 7890 180"),
        ("from 203.0.113.77:8080", "IP_ADDRESS", "203.0.113.77"),
        ("at 2001:db8:85a3::8a2e:370:7334.", "IP_ADDRESS", "2001:db8:85a3::8a2e:370:7334"),
        ("eth0 00:1A:2b:3c:4D:5e up", "MAC_ADDRESS", "00:1A:2b:3c:4D:5e"),
        ("0012.3456.789A", "MAC_ADDRESS", "0012.3456.789A"),
        ("SSN 078-05-1120", "US_SSN", "078-05-1120"),
        ("social security: 078051120", "US_SSN", "078051120"),
        ("it is 219-09-9998 I think", "US_SSN", "219-09-9998"),
        ("BTC 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "CRYPTO", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("0x52908400098527886E0F7030069857D2E4169EE7", "CRYPTO", "0x52908400098527886E0F7030069857D2E4169EE7"),
        ("my driver\u2019s licence number is D123-4567", "US_DRIVER_LICENSE", "D123-4567"),
        ("Passport no. 512345678", "US_PASSPORT", "512345678"),
        ("account number: 0012345678", "US_BANK_NUMBER", "0012345678"),
        ("date of birth: 3 May 1980", "DATE_TIME", "3 May 1980"),
        ("She was born on 4/30/1975.", "DATE_TIME", "4/30/1975"),
        ("see https://x.org/a?b=c.", "URL", "https://x.org/a?b=c"),
        ("visit thumbs.example.com/me now", "URL", "thumbs.example.com/me"),
    ],
)
def test_what_has_a_form_is_found_to_the_character(text: str, kind: str, piece: str) -> None:
    assert found(text) == [(kind, piece)]


@pytest.mark.parametrize(
    "number",
    [
        "(212) 555-0187",
        "212-555-0187",
        "212.555.0187 x12",
        "+1 212 555 0187",
        "+44 20 7946 0958",
        "+49 (0)30 123456",
        "020 7946 0958",
        "06 12 34 56 78",
        "0171/3456789",
        "(02) 9374 4000",
        "001-212-555-0187x99",
    ],
)
def test_telephone_numbers_in_their_own_form_need_no_word_beside_them(number: str) -> None:
    assert found(f"so {number}, then") == [("PHONE_NUMBER", number)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("call me at 4155550187", "4155550187"),
        ("Phone: 555 0187", "555 0187"),
        ("You can reach us under 88 165 40 96", "88 165 40 96"),
        ("92 34 70 office, closed", "92 34 70"),
        ("4471 2208-Fax", "4471 2208"),
        ("mein Telefon ist 8841-2290", "8841-2290"),
        ("mi número de teléfono es 915 55 01 87", "915 55 01 87"),
        ("text 4155550187 4155550188 today", "4155550187"),
    ],
)
def test_other_telephone_numbers_are_known_by_the_words_beside_them(text: str, number: str) -> None:
    assert found(text)[0] == ("PHONE_NUMBER", number)


@pytest.mark.parametrize(
    "text",
    [
        "It ran from 1914-1918 and again (1939-1945), 2019/2020.",
        "On 2026-11-23 at 12:30:45, or 23.11.2026, or 11/23/2026 10:15.",
        "Pi is 3.14159265358979, e is 2.718281828.",
        "About 7,800,000,000 people; 100 000 000 of them; 1 500 000 km².",
        "Order number 8841229047, invoice 2026-000187, ticket #48812290.",
        "ISBN 978-0-306-40615-7, doi 10.1000/182, PMID 31452104.",
        "version 10.0.19041.1, release 1.2.3.4, pip install x==1.11.1.7",
        "std::vector<int> a; a[1::2]; x ? y::z : 0; at 12:30:45",
        "127.0.0.1, 0.0.0.0, mask 255.255.255.0, ask 8.8.8.8",
        "1700000000000 ms, 1700000000 s, id 5b0f1c9e-4941-80f4-a1b2-5eb82330de25",
        "Call 911, dial 112, room 1204, 100 % of 3-5 days, $1,234,567.89",
        "$ 12345678, €45678901, 12345678 EUR, call 1000000 people, reach 2500000 users",
        "The password is important. Set password = getpass(), token = tokenizer(x), key = value",
        "api_key = os.environ['OPENAI_API_KEY'], api_key=\"YOUR_API_KEY1\", secret: ${SECRET_1}",
        "Ask @alice or a@b about x@2x.png, user@ and @home.",
        "She was born on 4 July 1776 in a house at 12 Long Street 90210-1234.",
        "{'Office Chair': '4794339885', 'Portable Charger': '6942297802'}",
        "Road to Perdition (2002) 1157 votes, 94 %",
        "GB82 is no account, and neither is GB83 WEST 1234 5698 7654 32.",
        "4111 1111 1111 1112 fails its check; so does 1234567812345678.",
        "Use <EMAIL_1> and <PHONE_12> as placeholders.",
    ],
)
def test_ordinary_numbers_dates_and_code_stay(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("use sk-proj-abcdEFGHijklMNOPqrst0123", "sk-proj-abcdEFGHijklMNOPqrst0123"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
        ("token tw_sk_0123456789abcdefghij", "tw_sk_0123456789abcdefghij"),
        ("postgres://app:s3cr3t-pw@db.internal:5432/x", "s3cr3t-pw"),
        ("password: Winter2026!", "Winter2026"),
        ("my passcode is 88x41z", "88x41z"),
        ("pwd=myDog2015", "myDog2015"),
        ('"client_secret": "9f8e7d6c5b4a"', "9f8e7d6c5b4a"),
        ("Authorization: Bearer 8f3kd93kf93kdk39dk39dk3", "8f3kd93kf93kdk39dk39dk3"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKC\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKC\n-----END RSA PRIVATE KEY-----",
        ),
    ],
)
def test_secrets_are_found(text: str, secret: str) -> None:
    assert ("SECRET", secret) in found(text)


def test_the_stronger_kind_wins_where_two_overlap_and_findings_come_in_order() -> None:
    text = "https://u:pa55word@x.org/4155550187 then card 4111111111111111, call 4155550187"
    assert found(text) == [
        ("SECRET", "pa55word"),
        ("CREDIT_CARD", "4111111111111111"),
        ("PHONE_NUMBER", "4155550187"),
    ]


def test_regions_say_whose_national_numbers_are_known_without_a_word() -> None:
    text = "so 020 7946 0958 then"
    assert found(text, PatternScrubber(regions=["GB"], national=False, secret_scanner=False))
    assert not found(text, PatternScrubber(regions=["SE"], national=False, secret_scanner=False))
    with pytest.raises(ConfigInvalid, match="'UK'"):
        PatternScrubber(regions=["UK"])


# --- gates

ALPHABET = st.sampled_from(
    [
        *"0123456789",
        *"0123456789",
        "1",
        "3",
        "555",
        "4111",
        "00",
        "19",
        "a",
        "F",
        "x",
        "GB",
        "bc",
        "0x",
        "e",
        " ",
        " ",
        "-",
        ".",
        ":",
        "::",
        "@",
        "(",
        ")",
        "+",
        "/",
        "\n",
        "#",
        "=",
        "_",
        ",",
        "\xa0",
        "é",
        "www.",
        "http://",
        ".com",
        "call ",
        "ssn ",
        "iban ",
        "card ",
        "dob ",
        "passport ",
        "D.O.B ",
        "DL #",
        "password=",
        "is ",
        "sk-",
        "ghp_",
        "AKIA",
        "eyJ",
        "PRIVATE KEY-----",
        "-----BEGIN ",
        "nhs ",
        "nino ",
        "office",
    ]
)
noise = st.lists(ALPHABET, max_size=30).map("".join)
samples = st.sampled_from(
    [
        "jo@x.org",
        "4111111111111111",
        "DE89370400440532013000",
        "203.0.113.7",
        "fe80::1:2",
        "aa-bb-cc-dd-ee-ff",
        "078-05-1120",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "born on 1/2/80",
        "driving licence X1234",
        "+4420 79460958",
        "xapp-0-0-0-0-0-0-0",
        "AB 12 34 56 C",
        "RSSMRA85T10A562S",
        "12345678Z",
        "abn 51 824 753 556",
        "itin 912-70-1234",
        "a://b:pwd@c",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(noise | samples, max_size=4).map(" ".join))
@example("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")
@example("FF:EE:DD:CC:BB:AA")
@example("d o.b 1/1/80 D.OB 1/1/80")
def test_a_gate_lets_through_every_text_its_form_finds_something_in(text: str) -> None:
    scrubber = PatternScrubber(national=presidio.is_installed(), secret_scanner=False)
    look = Look(text)
    for form in scrubber._forms:
        if list(form.find(text)):
            assert form.gate(look)
    if list(urls(text)):
        assert may_have_urls(look)


@needs_presidio
@settings(max_examples=300, deadline=None)
@given(st.lists(noise | samples, max_size=4).map(" ".join))
def test_what_presidio_is_sure_of_we_find(text: str) -> None:
    """Its recognisers for forms of all countries serve as the oracle: a checked find of theirs is within one of ours.

    Cards that begin with 1 (airlines) or have 13 digits are ours only beside the word card: times look like them.
    """
    ours = OWN.find(text)
    for kind, start, end in presidio_finds(text):
        piece = text[start:end]
        if kind == "CREDIT_CARD" and (piece[0] == "1" or sum(map(str.isdigit, piece)) < 14):
            continue
        assert any(each.start < end and start < each.end for each in ours), (kind, piece)


def presidio_finds(text: str) -> list[tuple[str, int, int]]:
    from presidio_analyzer import predefined_recognizers as recognisers

    sure = [recognisers.CreditCardRecognizer(), recognisers.IbanRecognizer(), recognisers.CryptoRecognizer()]
    results = [each for one in sure for each in one.analyze(text, one.supported_entities) if each.score == 1.0]
    bounded = [
        each
        for each in results
        if not text[max(0, each.start - 1) : each.start].isalnum() and not text[each.end : each.end + 1].isalnum()
    ]
    return [(each.entity_type, each.start, each.end) for each in bounded]


@needs_kingfisher
@pytest.mark.parametrize(
    "text",
    [
        "npm_" + "aB3d" * 9,
        "dp.pt." + "aB3dE" * 8 + "abc",
        "shpat_" + "0a1b2c3d" * 4,
    ],
)
def test_the_secret_scanner_knows_more_issuers(text: str) -> None:
    assert found(f"using {text} here", PatternScrubber(national=False, secret_scanner=True)) == [("SECRET", text)]


@needs_kingfisher
def test_the_secret_scanners_offsets_are_characters_also_beyond_ascii() -> None:
    scan = kingfisher.finder()
    text = "日本 é \ud800 ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    assert [text[each.start : each.end] for each in scan(text)] == ["ghp_16C7e42F292c6912E7710c838347Ae178B4a"]


# --- national numbers, names


@needs_presidio
@pytest.mark.parametrize(
    ("text", "kind", "piece"),
    [
        ("NI number AB123456C", "UK_NINO", "AB123456C"),
        ("it was AB 12 34 56 C there", "UK_NINO", "AB 12 34 56 C"),
        ("mi DNI es 12345678Z", "ES_NIF", "12345678Z"),
        ("RSSMRA85T10A562S", "IT_FISCAL_CODE", "RSSMRA85T10A562S"),
        ("hetu 131052-308T", "FI_PERSONAL_IDENTITY_CODE", "131052-308T"),
        ("my nhs id is 943-476-5919 ok", "UK_NHS", "943-476-5919"),
        ("ABN 51 824 753 556", "AU_ABN", "51 824 753 556"),
        ("S1234567D", "SG_NRIC_FIN", "S1234567D"),
        ("ABCPE1234F", "IN_PAN", "ABCPE1234F"),
    ],
)
def test_national_numbers_by_label_or_by_form(text: str, kind: str, piece: str) -> None:
    assert found(text, PatternScrubber(national=True, secret_scanner=False)) == [(kind, piece)]


@needs_presidio
@pytest.mark.parametrize(
    "text", ["from 10 20 30 a day", "12345678A", "943 476 5919 grains", "path/54612da3-fd56-4941-80f4"]
)
def test_national_numbers_need_their_form_or_a_label(text: str) -> None:
    assert found(text, PatternScrubber(national=True, secret_scanner=False)) == []


def test_a_part_that_is_asked_for_and_not_installed_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presidio, "is_installed", lambda: False)
    monkeypatch.setattr(kingfisher, "is_installed", lambda: False)
    with pytest.raises(ExtraMissing, match=r"pip install 'thumbwheel\[pii\]'"):
        PatternScrubber(national=True)
    with pytest.raises(ExtraMissing, match=r"pip install 'thumbwheel\[pii\]'"):
        PatternScrubber(secret_scanner=True)
    assert PatternScrubber().find("jo@x.org")


def test_names_need_a_model_of_the_operators(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")
    pipeline = spacy.blank("en")
    pipeline.add_pipe("entity_ruler").add_patterns(
        [
            {"label": "PERSON", "pattern": "Ada Lovelace"},
            {"label": "GPE", "pattern": "London"},
            {"label": "DATE", "pattern": "today"},
        ]
    )
    pipeline.to_disk(tmp_path / "model")
    scrubber = PatternScrubber(national=False, secret_scanner=False, ner_model=str(tmp_path / "model"))
    assert found("Ada Lovelace of London writes today", scrubber) == [
        ("PERSON", "Ada Lovelace"),
        ("LOCATION", "London"),
    ]
    with pytest.raises(ConfigInvalid, match="nowhere"):
        PatternScrubber(national=False, secret_scanner=False, ner_model="nowhere")


# --- cost


@pytest.mark.parametrize(
    "unit",
    [
        "a.",
        "1 ",
        "4111 ",
        "1.2.3.",
        "a@",
        "@a.",
        "(",
        "AB12",
        "http://",
        "password: ",
        "sk-",
        "::1",
        "a-",
        "= ",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n",
        "212-555-0187 ",
        "http://a.co/1 4111111111111111 ",
        "jo@x.org ",
        "call 4155550187 ",
        "0171/345678 ",
    ],
)
def test_hostile_text_of_100_kb_takes_no_more_than_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        OWN.find(text)
        return time.process_time() - start

    assert min(seconds(100_000) for _ in range(2)) < 3.0


def test_importing_the_scrubber_loads_neither_presidio_nor_spacy() -> None:
    code = (
        "import sys, thumbwheel.connectors.scrubber as s; s.PatternScrubber().find('jo@x.org, 4111 1111 1111 1111, call 415-555-0187');"
        "print([m for m in ('spacy', 'presidio_analyzer', 'kingfisher_sdk') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- real texts


def read(name: str) -> Any:
    path = SHARED / name
    if not path.exists():
        pytest.skip("the shared data set is not here")
    text = gzip.decompress(path.read_bytes()).decode()
    return [json.loads(line) for line in text.splitlines()] if ".jsonl" in name else json.loads(text)


def test_recall_and_precision_on_generated_texts_with_known_spans() -> None:
    rows = read("pii/presidio_generated_large.json.gz")
    known: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for row in rows:
        ours = OWN.find(row["full_text"])
        spans = [
            (s["entity_type"].replace("DOMAIN_NAME", "URL"), s["start_position"], s["end_position"])
            for s in row["spans"]
        ]
        for kind, start, end in spans:
            known[kind] += 1
            hit[kind] += any(each.type == kind and each.start <= start and each.end >= end for each in ours)
        wrong.update(
            each.type
            for each in ours
            if not any(s < each.end and each.start < e for k, s, e in spans if k == each.type)
        )
    for kind in (
        "CREDIT_CARD",
        "EMAIL_ADDRESS",
        "IBAN_CODE",
        "IP_ADDRESS",
        "US_SSN",
        "URL",
        "PHONE_NUMBER",
        "US_DRIVER_LICENSE",
    ):
        assert hit[kind] / known[kind] >= 0.97, kind
        assert wrong[kind] <= 0.03 * known[kind], kind
    assert not any(OWN.find(row["full_text"]) for row in rows if not row["spans"])


def test_ordinary_answers_mostly_stay_as_they_are() -> None:
    rows = read("traces/halueval_general.shared.jsonl.gz")
    texts = [row["chatgpt_response"] for row in rows]
    touched = [text for text in texts if any(each.type != "URL" for each in OWN.find(text))]
    assert len(touched) <= 0.01 * len(texts)


def test_a_trace_is_scrubbed_with_its_keys_as_labels_and_its_addresses_left() -> None:
    trace = Trace(
        id="t",
        started_at=datetime(2026, 11, 23, tzinfo=UTC),
        input={"phoneNumber": "555 0187", "order": "555 0188", "ssn": 219099998, "dob": "1980-05-03"},
        output="See https://x.org/4155550187, or call 415-555-0187; https://u:pa55word@x.org",
    )
    scrubbed = admit_trace(trace, rules=PrivacyRules(), scrubber=OWN, key=b"k")
    assert scrubbed.value.input == {
        "phoneNumber": "<PHONE_1>",
        "order": "555 0188",
        "ssn": "<SSN_1>",
        "dob": "<DATE_1>",
    }
    assert scrubbed.value.output == "See https://x.org/4155550187, or call <PHONE_2>; https://u:<SECRET_1>@x.org"


@needs_kingfisher
def test_kingfishers_gate_lets_through_what_its_own_rules_describe() -> None:
    """Texts are generated from every tenth rule's pattern; those in which Kingfisher finds something must pass."""
    from kingfisher_sdk import Rules

    scan = kingfisher.finder()
    rules = Rules()
    n_found = 0
    for text in (text for rule in rules.metadata()[::10] for text in texts_of(rules.detail(rule["id"]))):
        if list(scan(text)):
            n_found += 1
            assert kingfisher.may_have_secrets(Look(text)), text
    assert n_found >= 20


def texts_of(rule: dict[str, Any]) -> list[str]:
    try:
        pattern = re.compile(rule["detection_regex"].replace(r"\z", r"\Z"))
    except re.error:
        return []
    texts: list[str] = []

    @seed(1)
    @settings(
        max_examples=4, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    @given(st.from_regex(pattern))
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    return texts


def test_a_text_seen_before_is_answered_alike_whatever_came_between() -> None:
    scrubber = PatternScrubber(national=False, secret_scanner=False)
    texts = [
        "role",
        "ann@example.com",
        "role",
        "x" * 65,
        "ann@example.com",
        *(f"tag-{n}" for n in range(10_050)),
        "role",
    ]
    found = [[each.type for each in scrubber.find(text)] for text in texts]
    assert [types for types in found if types] == [["EMAIL_ADDRESS"]] * 2
    assert found[1] == found[4] == ["EMAIL_ADDRESS"]
