"""Settings: the one reader of the environment and of thumbwheel.toml."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from thumbwheel.errors import ConfigInvalid

_RATE = re.compile(r"[1-9]\d{0,8}/(second|minute|hour|day)")


class Settings(BaseSettings):
    """Every setting: `THUMBWHEEL_<NAME>` in the environment, or `<name>` in `thumbwheel.toml`; the environment wins."""

    model_config = SettingsConfigDict(env_prefix="THUMBWHEEL_", toml_file="thumbwheel.toml", extra="forbid")

    database_url: str = Field("sqlite:///thumbwheel.db", description="The store: sqlite:///FILE or postgresql://…")
    traces_url: str | None = Field(None, description="Where traces and signals go; the store when unset.")
    secret: SecretStr | None = Field(
        None, description="Signs sessions and shuffles traces; made and kept in the store when unset."
    )
    max_body_bytes: int = Field(20_000_000, gt=0, description="Largest request body, in bytes, once inflated.")
    key_rate: str = Field("5000/second", description="Requests one secret key may make, in each process.")
    browser_key_rate: str = Field("500/second", description="Requests one publishable key may make, in each process.")
    browser_rate: str = Field(
        "600/minute",
        description="Requests one address may make with a publishable key or a feedback link, in each process.",
    )
    lease_seconds: int = Field(900, gt=0, description="How long a reviewer holds an entry.")
    session_hours: int = Field(24 * 7, gt=0, description="How long a person stays signed in.")
    notice: str | None = Field(None, description="One line that every page shows, for people to know where they are.")
    secure_cookies: bool = Field(False, description="Send session cookies over HTTPS only.")
    draw_at: str | None = Field(None, description="Cron expression (UTC) of the daily draw; none when unset.")
    draw_budget: int = Field(80, gt=0, description="Entries a scheduled draw makes.")
    draw_window: str = Field("7d", description="How far back a scheduled draw looks.")
    draw_maturity: str = Field("24h", description="How old a trace is before a scheduled draw may pick it.")
    scrub: Literal["auto", "patterns", "full", "off"] = Field(
        "auto",
        description="What takes personal data out: our patterns; with what is installed of the extra pii; with all of it.",
    )
    scrub_model: str | None = Field(None, description="spaCy model, installed, that finds people and places.")
    pseudonymise: bool = Field(True, description="Keep a keyed hash in the place of each user id.")
    log_json: bool = Field(False, description="Logs as JSON lines rather than for reading.")

    @field_validator("key_rate", "browser_key_rate", "browser_rate")
    @classmethod
    def _is_a_rate(cls, value: str) -> str:
        if not _RATE.fullmatch(value):
            raise ValueError("a rate reads like 100/second, 600/minute or 5000/hour")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then thumbwheel.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read_settings(**given: Any) -> Settings:
    """Read the settings; `given` values win over the environment.

    Raises:
        ConfigInvalid: a setting has a value thumbwheel cannot work with, or the file names one that is not there.
    """
    try:
        settings = Settings(**given)
    except ValidationError as fault:
        first = fault.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigInvalid(f"Setting {name!r}: {first['msg']}.", field=name) from fault
    if settings.traces_url not in {None, settings.database_url}:
        raise ConfigInvalid("THUMBWHEEL_TRACES_URL must be the same as THUMBWHEEL_DATABASE_URL.", field="traces_url")
    return settings
