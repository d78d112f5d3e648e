"""Header families: the made company as CRMs export it. `SEEN` shaped the words, `UNSEEN` did not."""

from guess_company import Family

SF_DEAL = {
    "Id": "id", "IsDeleted": "deleted", "AccountId": "firm_id", "Name": "title", "StageName": "stage",
    "Amount": "amount", "ExpectedRevenue": "weighted", "Probability": "probability",
    "CloseDate": "close", "Type": "type", "NextStep": "next_step", "LeadSource": "source",
    "IsClosed": "closed", "IsWon": "won", "ForecastCategory": "status", "CurrencyIsoCode": "currency",
    "OwnerId": "owner_id", "CreatedDate": "created", "CreatedById": "owner_id",
    "LastModifiedDate": "modified", "SystemModstamp": "modified", "Loss_Reason__c": "reason",
}  # fmt: skip
SF_TRUTH = {
    "reps": ("User", {"rep_id": ("Id", "Name"), "name": "Name", "role": "Title"}),
    "teams": ("UserRole", {"team_id": "Id", "name": "Name"}),
    "memberships": ("User", {"rep_id": "Id", "team_id": "UserRoleId"}),
    "accounts": (
        "Account",
        {"account_id": ("Id", "Name"), "name": "Name", "industry": "Industry", "country": "BillingCountry"},
    ),
    "opportunities": (
        "Opportunity",
        {
            "opportunity_id": "Id", "rep_id": "OwnerId", "account_id": "AccountId",
            "source": "LeadSource", "created_on": "CreatedDate", "closed_on": "CloseDate",
            "expected_close_on": "CloseDate", "stage": "StageName", "is_won": ("IsWon", "StageName", "ForecastCategory"),
            "is_closed": ("IsClosed", "StageName", "ForecastCategory"), "amount": "Amount", "currency": "CurrencyIsoCode",
            "type": "Type", "loss_reason": "Loss_Reason__c",
        },
    ),
    "leads": (
        "Lead",
        {
            "lead_id": "Id", "rep_id": "OwnerId", "source": "LeadSource",
            "created_at": "CreatedDate", "qualified_at": "ConvertedDate",
        },
    ),
    "activities": (
        "Task",
        {
            "activity_id": "Id", "rep_id": "OwnerId", "kind": "TaskSubtype",
            "started_at": ("ActivityDate", "CompletedDateTime"), "logged_at": "CreatedDate",
            "seconds": "CallDurationInSeconds", "opportunity_id": "WhatId",
        },
    ),
}  # fmt: skip
SF_SOURCES = {
    "Opportunity": ("deals", SF_DEAL),
    "User": (
        "people",
        {"Id": "id", "Username": "email", "LastName": "last", "FirstName": "first", "Name": "name",
         "Email": "email", "Title": "role", "IsActive": "flag", "UserRoleId": "team_id"},
    ),
    "UserRole": ("teams", {"Id": "id", "Name": "name"}),
    "Account": (
        "firms",
        {"Id": "id", "Name": "name", "Phone": "phone", "BillingCity": "city",
         "BillingCountry": "country", "Industry": "industry", "AnnualRevenue": "revenue"},
    ),
    "Lead": (
        "leads",
        {"Id": "id", "Name": "name", "Company": "company", "Email": "email", "LeadSource": "source",
         "Status": "status", "OwnerId": "owner_id", "ConvertedDate": "converted", "CreatedDate": "created"},
    ),
    "Task": (
        "calls",
        {"Id": "id", "WhatId": "deal_id", "Subject": "subject", "ActivityDate": "start",
         "Status": "status", "OwnerId": "owner_id", "CreatedDate": "logged",
         "CallDurationInSeconds": "seconds", "TaskSubtype": "kind"},
    ),
    "Contact": ("leads", {"Id": "id", "Name": "name", "Email": "email", "OwnerId": "owner_id",
                          "CreatedDate": "created", "LeadSource": "source"}),
}  # fmt: skip


def _snake(name):
    text = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    return text.replace("___", "_").replace("__c", "_c")


def _in_snake_case(sources, truth):
    names = {name: f"sf_{_snake(name)}_data" for name in sources}
    renamed = {
        names[n]: (kind, {_snake(h): c for h, c in headers.items()} | {"_fivetran_synced": "synced"}
                   if kind == "never" else {_snake(h): c for h, c in headers.items()})
        for n, (kind, headers) in sources.items()
    }  # fmt: skip
    answers = {
        table: (names[source], {c: tuple(map(_snake, (h,) if isinstance(h, str) else h))
                                for c, h in columns.items()})
        for table, (source, columns) in truth.items()
    }  # fmt: skip
    return renamed, answers


_WAREHOUSE = _in_snake_case(SF_SOURCES, SF_TRUTH)

SEEN = {
    "salesforce objects": Family(SF_SOURCES, SF_TRUTH, date="%Y-%m-%dT%H:%M:%S.000+0000"),
    "salesforce warehouse": Family(*_WAREHOUSE),
    "salesforce report": Family(
        {
            "report1732550400": (
                "deals",
                {"Opportunity Owner": "owner_name", "Account Name": "firm", "Opportunity Name": "title",
                 "Opportunity ID": "id", "Stage": "stage", "Amount Currency": "currency", "Amount": "amount",
                 "Probability (%)": "probability", "Close Date": "close", "Created Date": "created",
                 "Lead Source": "source", "Type": "type", "Closed": "closed", "Won": "won",
                 "Last Modified Date": "modified", "Next Step": "next_step", "Owner Role": "owner_team"},
            )
        },
        {
            "reps": ("report1732550400", {"rep_id": "Opportunity Owner", "name": "Opportunity Owner"}),
            "opportunities": (
                "report1732550400",
                {"opportunity_id": "Opportunity ID", "rep_id": "Opportunity Owner", "account_id": "Account Name",
                 "source": "Lead Source", "created_on": "Created Date", "closed_on": "Close Date",
                 "expected_close_on": "Close Date", "stage": "Stage", "is_won": ("Won", "Stage"),
                 "is_closed": ("Closed", "Stage"), "amount": "Amount", "currency": "Amount Currency", "type": "Type"},
            ),
        },
        date="%m/%d/%Y", flags=("1", "0"),
        also={"teams": ("Owner Role",), "memberships": ("Owner Role", "Opportunity Owner")},
    ),
    "hubspot browser": Family(
        {
            "hubspot-crm-exports-all-deals-2026-11-25": (
                "deals",
                {"Record ID": "number", "Deal Name": "title", "Deal Stage": "stage", "Close Date": "close",
                 "Deal owner": "owner_name", "Amount": "amount", "Create Date": "created", "Currency": "currency",
                 "Is Closed Won": "won", "Is deal closed?": "closed", "Deal Type": "type",
                 "Original Source Type": "source", "Closed Lost Reason": "reason", "Weighted amount": "weighted",
                 "Last Modified Date": "modified", "Associated Company": "firm"},
            )
        },
        {
            "reps": ("hubspot-crm-exports-all-deals-2026-11-25", {"rep_id": "Deal owner", "name": "Deal owner"}),
            "opportunities": (
                "hubspot-crm-exports-all-deals-2026-11-25",
                {"opportunity_id": "Record ID", "rep_id": "Deal owner", "account_id": "Associated Company",
                 "source": "Original Source Type", "created_on": "Create Date", "closed_on": "Close Date",
                 "expected_close_on": "Close Date", "stage": "Deal Stage", "is_won": ("Is Closed Won", "Deal Stage"),
                 "is_closed": ("Is deal closed?", "Deal Stage"), "amount": "Amount", "currency": "Currency",
                 "type": "Deal Type", "loss_reason": "Closed Lost Reason"},
            ),
        },
        date="%Y-%m-%d %H:%M",
    ),
    "hubspot warehouse": Family(
        {
            "deal": (
                "deals",
                {"deal_id": "number", "owner_id": "owner_number", "property_dealname": "title",
                 "property_dealstage": "stage", "property_amount": "amount", "property_closedate": "close",
                 "property_createdate": "created", "property_hs_is_closed_won": "won", "property_hs_is_closed": "closed",
                 "property_hs_analytics_source": "source", "property_dealtype": "type",
                 "property_deal_currency_code": "currency", "property_closed_lost_reason": "reason",
                 "property_hs_lastmodifieddate": "modified", "is_deleted": "deleted"},
            ),
            "owner": ("people", {"owner_id": "number", "email": "email", "first_name": "first", "last_name": "last"}),
            "company": ("firms", {"id": "number", "property_name": "name", "property_industry": "industry",
                                  "property_country": "country", "property_annualrevenue": "revenue"}),
            "engagement_call": ("calls", {"engagement_id": "number", "property_hubspot_owner_id": "owner_number",
                                          "property_hs_timestamp": "start", "property_hs_createdate": "logged"}),
            "contact": ("leads", {"id": "number", "property_email": "email", "property_createdate": "created",
                                  "property_hubspot_owner_id": "owner_number", "property_company": "company"}),
        },
        {
            "reps": ("owner", {"rep_id": "owner_id", "name": "first_name"}),
            "accounts": ("company", {"account_id": "id", "name": "property_name", "industry": "property_industry",
                                     "country": "property_country"}),
            "opportunities": (
                "deal",
                {"opportunity_id": "deal_id", "rep_id": "owner_id", "source": "property_hs_analytics_source",
                 "created_on": "property_createdate", "closed_on": "property_closedate",
                 "expected_close_on": "property_closedate", "stage": "property_dealstage",
                 "is_won": ("property_hs_is_closed_won", "property_dealstage"),
                 "is_closed": ("property_hs_is_closed", "property_dealstage"), "amount": "property_amount",
                 "currency": "property_deal_currency_code", "type": "property_dealtype",
                 "loss_reason": "property_closed_lost_reason"},
            ),
            "activities": ("engagement_call", {"activity_id": "engagement_id", "rep_id": "property_hubspot_owner_id",
                                               "kind": "=call", "started_at": "property_hs_timestamp",
                                               "logged_at": "property_hs_createdate"}),
        },
        stages=("appointmentscheduled", "qualifiedtobuy", "presentation", "contractsent", "closedwon", "closedlost"),
    ),
    "pipedrive api": Family(
        {
            "deals": (
                "deals",
                {"id": "number", "title": "title", "value": "amount", "currency": "currency", "add_time": "created",
                 "update_time": "modified", "stage_name": "stage", "status": "status", "probability": "probability",
                 "lost_reason": "reason", "won_time": "won_at", "lost_time": "lost_at",
                 "expected_close_date": "expected", "user_id": "owner_number", "owner_name": "owner_name",
                 "org_id": "firm_number", "org_name": "firm", "weighted_value": "weighted"},
            ),
            "users": ("people", {"id": "number", "name": "name", "email": "email", "role_name": "role", "active_flag": "flag"}),
            "organizations": ("firms", {"id": "number", "name": "name", "address_country": "country"}),
            "activities": ("calls", {"id": "number", "subject": "subject", "type": "kind", "due_date": "start",
                                     "add_time": "logged", "user_id": "owner_number", "deal_id": "deal_number"}),
        },
        {
            "reps": ("users", {"rep_id": ("id", "name"), "name": "name", "role": "role_name"}),
            "accounts": ("organizations", {"account_id": ("id", "name"), "name": "name", "country": "address_country"}),
            "opportunities": (
                "deals",
                {"opportunity_id": "id", "rep_id": ("user_id", "owner_name"), "account_id": ("org_id", "org_name"), "created_on": "add_time",
                 "closed_on": ("won_time", "lost_time"), "expected_close_on": "expected_close_date", "stage": "stage_name",
                 "is_won": "status", "is_closed": "status", "amount": "value", "currency": "currency",
                 "loss_reason": "lost_reason"},
            ),
            "activities": ("activities", {"activity_id": "id", "rep_id": "user_id", "kind": "type",
                                          "started_at": "due_date", "logged_at": "add_time", "opportunity_id": "deal_id"}),
        },
        stages=("Lead In", "Contacted", "Demo", "Proposal", "Negotiation", "Final"),
    ),
    "pipedrive browser": Family(
        {
            "deals-1234567-42": (
                "deals",
                {"Deal - ID": "number", "Deal - Title": "title", "Deal - Value": "amount", "Deal - Currency": "currency",
                 "Deal - Owner": "owner_name", "Deal - Stage": "stage", "Deal - Status": "status",
                 "Deal - Organization": "firm", "Deal - Deal created": "created", "Deal - Won time": "won_at",
                 "Deal - Lost time": "lost_at", "Deal - Lost reason": "reason", "Deal - Expected close date": "expected",
                 "Deal - Update time": "modified", "Deal - Probability": "probability"},
            )
        },
        {
            "reps": ("deals-1234567-42", {"rep_id": "Deal - Owner", "name": "Deal - Owner"}),
            "opportunities": (
                "deals-1234567-42",
                {"opportunity_id": "Deal - ID", "rep_id": "Deal - Owner", "account_id": "Deal - Organization",
                 "created_on": "Deal - Deal created", "closed_on": ("Deal - Won time", "Deal - Lost time"),
                 "expected_close_on": "Deal - Expected close date", "stage": "Deal - Stage", "is_won": "Deal - Status",
                 "is_closed": "Deal - Status", "amount": "Deal - Value", "currency": "Deal - Currency",
                 "loss_reason": "Deal - Lost reason"},
            ),
        },
        stages=("Lead In", "Contacted", "Demo", "Proposal", "Negotiation", "Final"),
    ),
    "zoho": Family(
        {
            "Deals": (
                "deals",
                {"Record Id": "id", "Deal Owner.id": "owner_id", "Deal Owner": "owner_name", "Amount": "amount",
                 "Deal Name": "title", "Closing Date": "close", "Account Name.id": "firm_id", "Account Name": "firm",
                 "Stage": "stage", "Type": "type", "Probability (%)": "probability", "Next Step": "next_step",
                 "Expected Revenue": "weighted", "Lead Source": "source", "Created Time": "created",
                 "Modified Time": "modified", "Currency": "currency", "Reason For Loss": "reason"},
            ),
            "Users": ("people", {"User Id": "id", "Full Name": "name", "Email": "email", "Role": "role"}),
            "Accounts": ("firms", {"Record Id": "id", "Account Name": "name", "Phone": "phone", "Industry": "industry",
                                   "Billing City": "city", "Billing Country": "country", "Annual Revenue": "revenue"}),
        },
        {
            "reps": ("Users", {"rep_id": ("User Id", "Full Name"), "name": "Full Name", "role": "Role"}),
            "accounts": ("Accounts", {"account_id": ("Record Id", "Account Name"), "name": "Account Name", "industry": "Industry",
                                      "country": "Billing Country"}),
            "opportunities": (
                "Deals",
                {"opportunity_id": "Record Id", "rep_id": ("Deal Owner.id", "Deal Owner"), "account_id": ("Account Name.id", "Account Name"),
                 "source": "Lead Source", "created_on": "Created Time", "closed_on": "Closing Date",
                 "expected_close_on": "Closing Date", "stage": "Stage", "is_won": "Stage", "is_closed": "Stage",
                 "amount": "Amount", "currency": "Currency", "type": "Type", "loss_reason": "Reason For Loss"},
            ),
        },
        date="%d %b, %Y %H:%M:%S", money="$",
    ),
    "the model's names": Family(
        {
            "opportunities": (
                "deals",
                {"opportunity_id": "id", "rep_id": "owner_id", "account_id": "firm_id", "product_id": "product",
                 "source": "source", "created_on": "created", "closed_on": "closed_only",
                 "expected_close_on": "expected", "stage": "stage", "is_won": "won", "is_closed": "closed",
                 "amount": "amount", "currency": "currency", "type": "type", "loss_reason": "reason"},
            ),
            "reps": ("people", {"rep_id": "id", "name": "name", "role": "role", "hired_on": "hired"}),
            "teams": ("teams", {"team_id": "id", "name": "name"}),
            "memberships": ("people", {"rep_id": "id", "team_id": "team_id", "manager_id": "manager", "valid_from": "hired"}),
            "accounts": ("firms", {"account_id": "id", "name": "name", "industry": "industry", "country": "country"}),
            "activities": ("calls", {"activity_id": "id", "rep_id": "owner_id", "kind": "kind", "started_at": "start",
                                     "logged_at": "logged", "seconds": "seconds", "opportunity_id": "deal_id"}),
            "leads": ("leads", {"lead_id": "id", "rep_id": "owner_id", "source": "source", "created_at": "created",
                                "qualified_at": "converted"}),
        },
        {},
        date="%Y-%m-%d",
    ),
    "german": Family(
        {
            "Verkaufschancen": (
                "deals",
                {"Vorgangsnummer": "number", "Bezeichnung": "title", "Kunde": "firm", "Verkäufer": "owner_name",
                 "Angelegt am": "created", "Abschlussdatum": "closed_only", "Erwartetes Abschlussdatum": "expected",
                 "Verkaufsphase": "stage", "Betrag": "amount", "Währung": "currency", "Quelle": "source",
                 "Verlustgrund": "reason", "Wahrscheinlichkeit": "probability", "Geändert am": "modified"},
            ),
            "Kunden": ("firms", {"Kundennummer": "number", "Firmenname": "name", "Branche": "industry", "Land": "country",
                                 "Ort": "city", "Telefon": "phone"}),
            "Mitarbeiter": ("people", {"Personalnummer": "number", "Name": "name", "Funktion": "role",
                                       "Eintrittsdatum": "hired", "E-Mail": "email"}),
        },
        {
            "reps": ("Mitarbeiter", {"rep_id": "Name", "name": "Name", "role": "Funktion", "hired_on": "Eintrittsdatum"}),
            "accounts": ("Kunden", {"account_id": ("Firmenname", "Kundennummer"), "name": "Firmenname", "industry": "Branche", "country": "Land"}),
            "opportunities": (
                "Verkaufschancen",
                {"opportunity_id": "Vorgangsnummer", "rep_id": "Verkäufer", "account_id": "Kunde",
                 "source": "Quelle", "created_on": "Angelegt am", "closed_on": "Abschlussdatum",
                 "expected_close_on": "Erwartetes Abschlussdatum", "stage": "Verkaufsphase", "is_won": "Verkaufsphase",
                 "is_closed": "Verkaufsphase", "amount": "Betrag", "currency": "Währung", "loss_reason": "Verlustgrund"},
            ),
        },
        date="%d.%m.%Y", decimal=",",
        stages=("Erstkontakt", "Bedarf", "Angebot", "Verhandlung", "Gewonnen", "Verloren"),
    ),
    "french": Family(
        {
            "opportunites": (
                "deals",
                {"Identifiant": "number", "Nom": "title", "Compte": "firm", "Propriétaire": "owner_name",
                 "Date de création": "created", "Date de clôture": "closed_only", "Étape": "stage", "Montant": "amount",
                 "Devise": "currency", "Origine": "source", "Motif de perte": "reason", "Probabilité": "probability"},
            )
        },
        {
            "reps": ("opportunites", {"rep_id": "Propriétaire", "name": "Propriétaire"}),
            "opportunities": (
                "opportunites",
                {"opportunity_id": "Identifiant", "rep_id": "Propriétaire", "account_id": "Compte", "source": "Origine",
                 "created_on": "Date de création", "closed_on": "Date de clôture", "stage": "Étape", "is_won": "Étape",
                 "is_closed": "Étape", "amount": "Montant", "currency": "Devise", "loss_reason": "Motif de perte"},
            ),
        },
        date="%d/%m/%Y", decimal=",",
        stages=("Contact", "Besoin", "Offre", "Négociation", "Gagné", "Perdu"),
    ),
    "spanish": Family(
        {
            "oportunidades": (
                "deals",
                {"ID Oportunidad": "number", "Nombre": "title", "Cliente": "firm", "Vendedor": "owner_name",
                 "Fecha de creación": "created", "Fecha de cierre": "closed_only", "Etapa": "stage", "Importe": "amount",
                 "Moneda": "currency", "Origen": "source", "Motivo de pérdida": "reason"},
            )
        },
        {
            "reps": ("oportunidades", {"rep_id": "Vendedor", "name": "Vendedor"}),
            "opportunities": (
                "oportunidades",
                {"opportunity_id": "ID Oportunidad", "rep_id": "Vendedor", "account_id": "Cliente", "source": "Origen",
                 "created_on": "Fecha de creación", "closed_on": "Fecha de cierre", "stage": "Etapa", "is_won": "Etapa",
                 "is_closed": "Etapa", "amount": "Importe", "currency": "Moneda", "loss_reason": "Motivo de pérdida"},
            ),
        },
        date="%d/%m/%Y", decimal=",",
        stages=("Contacto", "Necesidad", "Oferta", "Negociación", "Ganado", "Perdido"),
    ),
    "hostile headers": Family(
        {
            "Export (3)": (
                "deals",
                {"OPP_NO": "number", "opp ttl": "title", "CLIENT_NM": "firm", "sls_rep": "owner_name", "crtd_dt": "created",
                 "Clsd Dt": "closed_only", "STG": "stage", "Deal Ammount": "amount", "WghtdAmt": "weighted", "Curr.": "currency",
                 "lst mod": "modified", "x1": "probability", "SRC": "source"},
            )
        },
        {
            "reps": ("Export (3)", {"rep_id": "sls_rep", "name": "sls_rep"}),
            "opportunities": (
                "Export (3)",
                {"opportunity_id": "OPP_NO", "rep_id": "sls_rep", "account_id": "CLIENT_NM", "created_on": "crtd_dt",
                 "closed_on": "Clsd Dt", "stage": "STG", "is_won": "STG", "is_closed": "STG", "amount": "Deal Ammount",
                 "currency": "Curr.", "source": "SRC"},
            ),
        },
        date="%Y-%m-%d", is_clean=False,
    ),
    "no headers": Family(
        {
            "deals": (
                "deals",
                {"column0": "id", "column1": "title", "column2": "owner_id", "column3": "firm_id", "column4": "created",
                 "column5": "closed_only", "column6": "stage", "column7": "amount", "column8": "currency", "column9": "modified"},
            ),
            "users": ("people", {"column0": "id", "column1": "name", "column2": "email", "column3": "role"}),
        },
        {
            "reps": ("users", {"rep_id": "column0", "name": "column1", "role": "column3"}),
            "opportunities": (
                "deals",
                {"opportunity_id": "column0", "rep_id": "column2", "account_id": "column3", "created_on": "column4",
                 "closed_on": "column5", "stage": "column6", "is_won": "column6", "is_closed": "column6",
                 "amount": "column7", "currency": "column8"},
            ),
        },
        is_clean=False,
    ),
}  # fmt: skip

_own = SEEN["the model's names"]
_own.truth.update(
    {name: (name, {header: header for header in headers}) for name, (_, headers) in _own.sources.items()}
)
_own.truth["opportunities"][1].update(is_won=("is_won", "stage"), is_closed=("is_closed", "stage"))
