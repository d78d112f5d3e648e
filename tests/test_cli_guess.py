"""The command that proposes a mapping."""

import sys

import pytest
import yaml
from guess_company import read_families

from salesnb import cli
from salesnb.sources.mapping import read_mapping

FAMILY = read_families("guess_families")["german"]


@pytest.fixture
def call(monkeypatch, capsys):
    """Return a function that runs a command as a shell would: exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["salesnb", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as leaving:
            code = leaving.code
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    for name, frame in FAMILY.previews(n=80).items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_without_a_file_yaml_is_all_there_is_on_standard_output(call, export):
    code, shown, said = call("import", export, "--guess")
    assert code == 0
    assert set(yaml.safe_load(shown)["tables"]) == {"reps", "accounts", "opportunities"}
    assert "Everything required was found." in said
    assert "header 'Abschlussdatum'" in said


def test_a_guess_written_to_a_file_imports(call, export, tmp_path):
    target = tmp_path / "mine.yaml"
    code, shown, _ = call("import", export, "--guess", "--to", target)
    assert code == 0
    assert shown.splitlines()[-1] == (
        f"Next: edit {target}, then salesnb import {export} --mapping {target} --to SNAPSHOT"
    )
    assert read_mapping(target).options("Verkaufschancen").decimal == ","
    code, shown, _ = call("import", export, "--mapping", target, "--to", tmp_path / "snapshot")
    assert code == 0
    assert "rows were accepted" in shown


def test_what_is_missing_is_said_and_is_no_failure(call, tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    code, shown, said = call("import", tmp_path / "x.csv", "--guess")
    assert code == 0
    assert yaml.safe_load(shown) == {"tables": {}}
    assert "Required and not found: reps: rep_id, name; opportunities: opportunity_id" in said


def test_a_mapping_that_is_there_is_not_written_over(call, export, tmp_path):
    target = tmp_path / "mine.yaml"
    target.write_text("mine", encoding="utf-8")
    code, _, said = call("import", export, "--guess", "--to", target)
    assert code == 2
    assert "is there already" in said
    assert target.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--guess", "--preset", "maven"], "--preset: not with --guess"),
        (["--guess", "--strict"], "--strict: not with --guess"),
        ([], "Missing option '--to'"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(call, export, arguments, message):
    code, _, said = call("import", export, *arguments)
    assert code == 2
    assert message in said


def test_a_folder_that_cannot_be_written_to_is_named(call, export, tmp_path):
    code, _, said = call("import", export, "--guess", "--to", tmp_path / "absent" / "mine.yaml")
    assert code == 2
    assert "cannot be written" in said
