"""Settings: the one reader of the environment and of thumbwheel.toml."""

from __future__ import annotations

import os
import re
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
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
    langfuse_url: str = Field(
        "https://cloud.langfuse.com",
        description="Where `pull langfuse` reads; else LANGFUSE_BASE_URL or LANGFUSE_HOST.",
    )
    langfuse_public_key: str | None = Field(None, description="Its public key; else LANGFUSE_PUBLIC_KEY.")
    langfuse_secret_key: SecretStr | None = Field(None, description="Its secret key; else LANGFUSE_SECRET_KEY.")
    langsmith_url: str = Field(
        "https://api.smith.langchain.com", description="Where `pull langsmith` reads; else LANGSMITH_ENDPOINT."
    )
    langsmith_key: SecretStr | None = Field(None, description="Its key; else LANGSMITH_API_KEY.")
    phoenix_url: str = Field(
        "http://localhost:6006", description="Where `pull phoenix` reads; else PHOENIX_COLLECTOR_ENDPOINT."
    )
    phoenix_key: SecretStr | None = Field(None, description="Its key; else PHOENIX_API_KEY.")
    mlflow_url: str = Field("http://localhost:5000", description="Where `pull mlflow` reads; else MLFLOW_TRACKING_URI.")
    mlflow_key: SecretStr | None = Field(
        None, description="Its token, or user:password; else MLFLOW_TRACKING_TOKEN, or _USERNAME and _PASSWORD."
    )
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
        """Arguments, then the environment, then thumbwheel.toml, then what the other tools' own clients go by."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls), TheirNames(settings_cls)


class TheirNames(PydanticBaseSettingsSource):
    """Addresses and keys of other tools, under the names that their own clients read."""

    _names: ClassVar = {
        "langfuse_url": ("LANGFUSE_BASE_URL", "LANGFUSE_HOST"),
        "langfuse_public_key": ("LANGFUSE_PUBLIC_KEY",),
        "langfuse_secret_key": ("LANGFUSE_SECRET_KEY",),
        "langsmith_url": ("LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"),
        "langsmith_key": ("LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"),
        "phoenix_url": ("PHOENIX_COLLECTOR_ENDPOINT",),
        "phoenix_key": ("PHOENIX_API_KEY",),
        "mlflow_url": ("MLFLOW_TRACKING_URI",),
        "mlflow_key": ("MLFLOW_TRACKING_TOKEN",),
    }

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The first of its names that is set."""
        found = (os.environ.get(name) for name in self._names.get(field_name, ()))
        return next(filter(None, found), None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """What is set."""
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(fields[name], name)[0] for name in self._names}
        user, password = (os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD"))
        if user and found["mlflow_key"] is None:
            found["mlflow_key"] = f"{user}:{password or ''}"
        return {name: value for name, value in found.items() if value is not None}


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
        if first["type"] == "extra_forbidden":
            raise ConfigInvalid(f"thumbwheel.toml: there is no setting {name!r}.", field=name) from fault
        raise ConfigInvalid(f"Setting {name!r}: {first['msg']}.", field=name) from fault
    except ValueError as fault:  # of the file as a whole: it is no TOML, or no text
        raise ConfigInvalid(f"thumbwheel.toml cannot be read: {fault}.") from fault
    if settings.traces_url not in {None, settings.database_url}:
        raise ConfigInvalid("THUMBWHEEL_TRACES_URL must be the same as THUMBWHEEL_DATABASE_URL.", field="traces_url")
    return settings
