"""What the company sells, to whom, where, and at which exchange rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from salesnb import schema
from salesnb.sources.sample.arrays import Floats, Ints, Texts, texts
from salesnb.sources.sample.clock import AS_OF, DAYS, export_quarters, quarter_name, to_dates
from salesnb.sources.sample.ids import crm_ids
from salesnb.sources.sample.names import COMPANY_ENDS, COMPANY_STEMS, INDUSTRIES, LEGAL_FORMS
from salesnb.sources.sample.people import People
from salesnb.sources.sample.settings import Settings
from salesnb.sources.sample.talent import territory_potentials
from salesnb.sources.sample.teams import PATCHES, Teams

ACCOUNTS_PER_TERRITORY = 14
_KNOWN_WITHIN = 0.12  # log SD of the planners' estimate of a territory

PRODUCTS = (
    ("PRD-FLOW-10", "Nordwind Flow 10", 1_900),
    ("PRD-FLOW-40", "Nordwind Flow 40", 4_600),
    ("PRD-SPEC-UV", "Spectra UV", 9_800),
    ("PRD-SPEC-IR", "Spectra IR", 14_500),
    ("PRD-LAB-1", "LabCell One", 22_000),
    ("PRD-LAB-X", "LabCell X", 39_000),
    ("PRD-CARE", "Calibration & Care, 1 year", 3_200),
    ("PRD-CLOUD", "Nordwind Cloud, 1 year", 5_400),
)

STAGES = (
    ("Prospecting", False, False, False),
    ("Discovery", True, False, False),
    ("Evaluation", True, False, False),
    ("Proposal", True, False, False),
    ("Negotiation", True, False, False),
    ("Closed Won", True, True, False),
    ("Closed Lost", False, False, True),
)
OPEN_STAGES = 5
"""The first stages are open ones, then won and lost."""


@dataclass(frozen=True)
class Source:
    """A lead source: its share of leads, effects on qualifying and winning (logit), spend.

    `spend` is EUR a rep and quarter.
    """

    name: str
    share: float
    qualify: float
    win: float
    spend: float


SOURCES = (
    Source("Website", 0.34, 0.0, 0.0, 1_200),
    Source("Trade Fair", 0.18, -0.45, -0.2, 2_400),
    Source("Webinar", 0.18, -0.3, -0.05, 550),
    Source("Partner", 0.16, 0.35, 0.2, 850),
    Source("Referral", 0.14, 0.8, 0.4, 160),
    Source("Outbound", 0.0, 0.0, -0.1, 380),
    Source("Existing Customer", 0.0, 0.0, 0.0, 0),
)
OUTBOUND, CUSTOMER = 5, 6
CURRENCIES = ("EUR", "GBP", "USD")
_RATES = (1.0, 1.155, 0.925)
_RATE_SD = 0.011  # log, from month to month


def territory_ids(count: int) -> Texts:
    """Name the territories."""
    return texts([f"T-{number:04d}" for number in range(1, count + 1)])


def team_currencies(teams: Teams) -> Ints:
    """Position in `CURRENCIES` of each team's currency."""
    return np.array([CURRENCIES.index(PATCHES[patch].currency) for patch in teams.patch])


def money_potential(log_potential: Floats, settings: Settings) -> Floats:
    """Bookings (EUR) an average rep wins a quarter in each territory."""
    average_deal = settings.deal_median * np.exp(settings.deal_sd**2 / 2)
    base = settings.volume * (settings.win_probability + 0.01) * average_deal
    potential: Floats = base * np.exp(log_potential)
    return potential


def known_potential(people: People, settings: Settings) -> Floats:
    """Planners' estimate of each territory's potential: the true one but for some error."""
    true = territory_potentials(people, settings)
    error = settings.stream("potential estimates").normal(0, _KNOWN_WITHIN, len(true))
    return np.round(money_potential(true + error, settings), -2)


def territories_table(people: People, settings: Settings) -> pd.DataFrame:
    """List the territories and who works them now; vacant ones have no rep."""
    potential = known_potential(people, settings)
    worker = np.full(len(potential), None, dtype=object)
    now = (people.left > AS_OF) & (people.hired <= AS_OF)
    worker[people.territory[now]] = people.rep_id[now]
    return pd.DataFrame(
        {
            schema.territories.territory_id: territory_ids(len(potential)),
            schema.territories.rep_id: worker,
            schema.territories.potential: potential,
        }
    )


def accounts_table(people: People, teams: Teams, settings: Settings) -> pd.DataFrame:
    """List the accounts, those of one territory together."""
    rng = settings.stream("accounts")
    n_territories = int(people.territory.max()) + 1
    territory = np.repeat(np.arange(n_territories), ACCOUNTS_PER_TERRITORY)
    n = len(territory)
    countries = [PATCHES[patch].country for patch in teams.patch]
    country = texts(countries)[territory % len(teams)]
    stem = rng.choice(COMPANY_STEMS.split(), n)
    end = rng.choice(COMPANY_ENDS.split(), n)
    form = [
        LEGAL_FORMS[where][lot] for where, lot in zip(country, rng.integers(0, 2, n), strict=True)
    ]
    return pd.DataFrame(
        {
            schema.accounts.account_id: crm_ids("001", n, rng),
            schema.accounts.name: [f"{s}{e} {f}" for s, e, f in zip(stem, end, form, strict=True)],
            schema.accounts.industry: rng.choice(INDUSTRIES, n),
            schema.accounts.country: country,
            schema.accounts.territory_id: territory_ids(n_territories)[territory],
            schema.accounts.is_target: rng.random(n) < 0.3,
        }
    )


def products_table() -> pd.DataFrame:
    """List the products."""
    return pd.DataFrame(
        PRODUCTS,
        columns=[schema.products.product_id, schema.products.name, schema.products.list_price],
    )


def stages_table() -> pd.DataFrame:
    """List the stages in order."""
    rows = [(name, order, *flags) for order, (name, *flags) in enumerate(STAGES, start=1)]
    stages = schema.stages
    columns = [stages.stage, stages.stage_order, stages.is_qualified, stages.is_won, stages.is_lost]
    return pd.DataFrame(rows, columns=columns)


def sources_table(settings: Settings) -> pd.DataFrame:
    """List each source's spend by quarter; more goes out in the quarters of the trade fairs."""
    rng = settings.stream("spend")
    rows = []
    for quarter in export_quarters():
        for source in SOURCES:
            season = 1.35 if source.name == "Trade Fair" and quarter % 4 in (1, 3) else 1.0
            spend = source.spend * settings.reps * season * rng.lognormal(0, 0.12)
            rows.append((source.name, quarter_name(int(quarter)), round(spend, -2)))
    columns = [schema.sources.source, schema.sources.period, schema.sources.spend]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class ExchangeRates:
    """Rates by currency and month; `start` is each month's first day."""

    start: Ints
    rate: Floats

    def on(self, currency: Ints, day: Ints) -> Floats:
        """Rate of each currency on each day; beyond the export the last one holds."""
        month = np.searchsorted(self.start, np.minimum(day, AS_OF), side="right") - 1
        found: Floats = self.rate[currency, month]
        return found


def draw_rates(settings: Settings) -> ExchangeRates:
    """Let the rates of the currencies wander from month to month."""
    dates = to_dates(np.arange(DAYS)).astype("datetime64[D]")
    is_first = dates.astype("datetime64[M]").astype("datetime64[D]") == dates
    start = np.concatenate([[0], np.flatnonzero(is_first)])
    rng = settings.stream("exchange rates")
    steps = rng.normal(0, _RATE_SD, (len(CURRENCIES), len(start)))
    steps[CURRENCIES.index(settings.currency)] = 0
    rate = np.array(_RATES)[:, None] * np.exp(np.cumsum(steps, axis=1))
    return ExchangeRates(start=start, rate=np.round(rate, 4))


def exchange_rates_table(rates: ExchangeRates) -> pd.DataFrame:
    """List the dated rates."""
    n_currencies, n_months = rates.rate.shape
    return pd.DataFrame(
        {
            schema.exchange_rates.currency: np.repeat(CURRENCIES, n_months),
            schema.exchange_rates.rate_on: to_dates(np.tile(rates.start, n_currencies)),
            schema.exchange_rates.rate: rates.rate.ravel(),
        }
    )
