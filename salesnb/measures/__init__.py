"""Snapshot to sufficient statistics per rep, team, period and KPI."""
