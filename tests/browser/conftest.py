import pytest
from browser_pages import chromium, open_page
from demo_report import make_notebook

from salesnb.publish.export import render_report

__all__ = ["chromium", "open_page"]


@pytest.fixture(scope="session")
def report():
    """Render the demo report."""
    return render_report(make_notebook())
