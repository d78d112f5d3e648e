import pytest
from browser_pages import chromium, open_file, open_page
from demo_portal import ABOUT, ENTRIES, LINKS, QUARTER
from demo_report import make_notebook

from salesnb.publish.export import render_report
from salesnb.publish.links import put_links, render_links
from salesnb.publish.mail import render_mail
from salesnb.publish.portal import render_portal

__all__ = ["chromium", "open_file", "open_page"]


@pytest.fixture(scope="session")
def report():
    """Render the demo report."""
    return render_report(make_notebook())


@pytest.fixture(scope="session")
def linked_report(report):
    """The demo report among its neighbours."""
    return put_links(report, render_links(LINKS))


@pytest.fixture(scope="session")
def portal():
    """Render the portal of demo reports."""
    return render_portal(ENTRIES, title="Sales reports", as_of="2026-10-05")


@pytest.fixture(scope="session")
def mail():
    """Render the mail of the same reports, with links."""
    return render_mail(ENTRIES, ABOUT, QUARTER)
