"""Fetch from CRMs: Salesforce and HubSpot, over HTTP, into an export's folder."""

from salesnb.sources.crm.fetch import fetch_crm as fetch_crm
