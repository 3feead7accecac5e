import subprocess
import sys

import pytest

import audit.judgement
from audit.judgement import measures


@pytest.mark.parametrize("name", audit.judgement.__all__)
def test_every_name_leads_somewhere(name):
    assert getattr(audit.judgement, name) is not None
    assert name in dir(audit.judgement)


def test_names_are_sorted_as_the_house_wants_them():
    def key(name):
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert sorted(audit.judgement.__all__, key=key) == audit.judgement.__all__
    assert set(audit.judgement.__all__) == set(audit.judgement._HOMES)
    assert measures.__all__ == ["MEASURES", "Measure"]


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = audit.judgement.nothing


def test_judging_never_imports_torch():
    code = (
        "import sys\n"
        "from audit.judgement import compare_predictions\n"
        "found = compare_predictions([0, 1], [0, 1], [0, 0])\n"
        "assert found.findings\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
