"""The tools that can be read, by name."""

from __future__ import annotations

from base64 import b64encode

from thumbwheel.connectors.langfuse_source import LangfuseSource
from thumbwheel.connectors.langsmith_source import LangSmithSource
from thumbwheel.connectors.mlflow_source import MlflowSource
from thumbwheel.connectors.phoenix_source import PhoenixSource
from thumbwheel.connectors.source_http import Http
from thumbwheel.errors import Invalid
from thumbwheel.ports import Source


def langfuse(url: str, key: str | None, project: str | None = None) -> Source:
    """The project of Langfuse that a key is of; `project` is what its name must be.

    Raises:
        Invalid: the key is not two.
    """
    public, _, secret = (key or "").partition(":")
    if not public or not secret:
        raise Invalid(
            "Langfuse wants two keys: --key pk-…:sk-…, or LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY.", field="key"
        )
    basic = b64encode(f"{public}:{secret}".encode()).decode()
    return LangfuseSource(Http("Langfuse", url, {"authorization": f"Basic {basic}"}), project)


def langsmith(url: str, key: str | None, project: str) -> Source:
    """A project of LangSmith by its name.

    Raises:
        Invalid: there is no key.
    """
    if not key:
        raise Invalid("LangSmith wants a key: --key, or LANGSMITH_API_KEY.", field="key")
    return LangSmithSource(Http("LangSmith", url, {"x-api-key": key}), project)


def phoenix(url: str, key: str | None, project: str) -> Source:
    """A project of Phoenix by its name; a server of one's own may do without a key."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return PhoenixSource(Http("Phoenix", url.removesuffix("/v1/traces"), headers), project)


def mlflow(url: str, key: str | None, project: str) -> Source:
    """An experiment of MLflow by its name; the key is a token, or user:password."""
    user, colon, password = (key or "").partition(":")
    if colon:
        basic = b64encode(f"{user}:{password}".encode()).decode()
        return MlflowSource(Http("MLflow", url, {"authorization": f"Basic {basic}"}), project)
    return MlflowSource(Http("MLflow", url, {"authorization": f"Bearer {key}"} if key else {}), project)
