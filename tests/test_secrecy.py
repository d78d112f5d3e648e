import pytest

from salesnb.errors import ParameterError
from salesnb.params import read_params
from salesnb.secrecy import find_secret, name_secrets

GOOD = "snapshot: x\nquarter: 2026Q3\n"
SECRETS = [
    "postgresql://ann:hunter2@db.example/crm",
    "Server=db;User=ann;Password=hunter2;",
    "sc://spark.example:15002/;token=hunter2hunter2",
    "AccountKey=abc==;Endpoint=x",
    "-----BEGIN RSA PRIVATE KEY-----",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "xoxb-123456789012-abcdef",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "Bearer abcdefghijklmnopqrstuvwx",
]
HARMLESS = [
    "postgresql://ann@db.example/crm", "https://example.org/a:b@c", "Token of thanks",
    "passwords: a training", "2026Q3", "bookings=2, win_rate=1", "spark://host:7077",
    "Bearer of news", "Secret Santa",
]  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_what_looks_like_a_secret_is_found(text):
    assert find_secret(f"before {text} after")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_none_is_left(text):
    assert find_secret(text) == ""
    assert list(name_secrets({"title": text, "teams": [text]})) == []


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("password", "password"), ("db_password", "db_password"), ("API-Key", "API-Key"),
        ("client_secret", "client_secret"), ("plan: {token", "plan.token"),
        ("privatekey", "privatekey"), ("tokens", ""), ("author", ""), ("passenger", ""),
    ],
)  # fmt: skip
def test_a_key_that_is_called_like_a_secret_is_named(tmp_path, key, named):
    path = tmp_path / "batch.yaml"
    path.write_text(f"{GOOD}{key}: hunter2{'}' if '{' in key else ''}\n", encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        read_params(path)
    told = str(caught.value)
    assert (f"{named}: looks like a secret by its name" in told) == bool(named)
    assert "hunter2" not in told or not named


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("line", ["title: '{}'", "teams: ['{}']", "weights: {{'{}': 1}}"])
def test_a_value_that_is_a_secret_is_refused_and_never_repeated(tmp_path, line, secret):
    path = tmp_path / "batch.yaml"
    path.write_text(GOOD + line.format(secret) + "\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"1 secret\(s\)(?s:.*)Take it out") as caught:
        read_params(path)
    assert line.split(":")[0] in str(caught.value)
    assert secret not in str(caught.value)
    assert secret not in repr(caught.value.__cause__)


def test_a_secret_on_the_command_line_is_refused_too(tmp_path):
    path = tmp_path / "batch.yaml"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(ParameterError, match="snapshot: looks like an address with a password"):
        read_params(path, snapshot="postgresql://ann:hunter2@db/crm")


def test_yaml_that_breaks_is_located_not_quoted(tmp_path):
    path = tmp_path / "batch.yaml"
    path.write_text(GOOD + "title: [hunter2\nspark_master: x: y\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"not valid YAML: line 4, column \d+ ") as caught:
        read_params(path)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_word_of_a_million_letters_is_read_once():
    """Read again from each letter it would take hours."""
    assert find_secret("x" * 1_000_000) == ""
    assert find_secret("x" * 1_000_000 + " postgresql://ann:hunter2@db/crm") != ""
