"""Header families written after the words were: how well they do where nobody thought of the CRM."""

from guess_company import Family

UNSEEN = {
    "dynamics 365": Family(
        {
            "opportunity": (
                "deals",
                {"opportunityid": "id", "name": "title", "_ownerid_value": "owner_id", "_customerid_value": "firm_id",
                 "createdon": "created", "estimatedclosedate": "expected", "actualclosedate": "closed_only",
                 "statecode": "status", "salesstage": "stage", "estimatedvalue": "weighted", "actualvalue": "amount",
                 "closeprobability": "probability", "modifiedon": "modified", "transactioncurrencyid": "currency"},
            ),
            "systemuser": ("people", {"systemuserid": "id", "fullname": "name", "internalemailaddress": "email",
                                      "jobtitle": "role"}),
        },
        {
            "reps": ("systemuser", {"rep_id": ("systemuserid", "fullname"), "name": "fullname", "role": "jobtitle"}),
            "opportunities": (
                "opportunity",
                {"opportunity_id": "opportunityid", "rep_id": "_ownerid_value", "account_id": "_customerid_value",
                 "created_on": "createdon", "closed_on": "actualclosedate", "expected_close_on": "estimatedclosedate",
                 "stage": ("salesstage", "statecode"), "is_won": ("statecode", "salesstage"),
                 "is_closed": ("statecode", "salesstage"), "amount": ("actualvalue", "estimatedvalue"),
                 "currency": "transactioncurrencyid"},
            ),
        },
    ),
    "odoo": Family(
        {
            "crm.lead": (
                "deals",
                {"ID": "number", "Opportunity": "title", "Customer": "firm", "Salesperson": "owner_name", "Sales Team": "owner_team",
                 "Stage": "stage", "Expected Revenue": "amount", "Prorated Revenue": "weighted", "Probability": "probability",
                 "Created on": "created", "Closed Date": "closed_only", "Expected Closing": "expected",
                 "Lost Reason": "reason", "Source": "source"},
            )
        },
        {
            "reps": ("crm.lead", {"rep_id": "Salesperson", "name": "Salesperson"}),
            "opportunities": (
                "crm.lead",
                {"opportunity_id": "ID", "rep_id": "Salesperson", "account_id": "Customer", "source": "Source",
                 "created_on": "Created on", "closed_on": "Closed Date", "expected_close_on": "Expected Closing",
                 "stage": "Stage", "is_won": "Stage", "is_closed": "Stage", "amount": "Expected Revenue",
                 "loss_reason": "Lost Reason"},
            ),
        },
        also={"teams": ("Sales Team",), "memberships": ("Sales Team", "Salesperson")},
    ),
    "copper": Family(
        {
            "opportunities-export": (
                "deals",
                {"Copper ID": "number", "Name": "title", "Company": "firm", "Owned By": "owner_name", "Stage": "stage",
                 "Status": "status", "Value": "amount", "Close Date": "close", "Win Probability": "probability",
                 "Created At": "created", "Updated At": "modified", "Loss Reason": "reason", "Source": "source"},
            )
        },
        {
            "reps": ("opportunities-export", {"rep_id": "Owned By", "name": "Owned By"}),
            "opportunities": (
                "opportunities-export",
                {"opportunity_id": "Copper ID", "rep_id": "Owned By", "account_id": "Company", "source": "Source",
                 "created_on": "Created At", "closed_on": "Close Date", "expected_close_on": "Close Date",
                 "stage": ("Stage", "Status"), "is_won": ("Stage", "Status"), "is_closed": ("Stage", "Status"),
                 "amount": "Value", "loss_reason": "Loss Reason"},
            ),
        },
        date="%m/%d/%Y", money="$",
    ),
    "close": Family(
        {
            "opportunities": (
                "deals",
                {"id": "id", "lead_name": "firm", "user_id": "owner_id", "user_name": "owner_name", "status_label": "stage",
                 "status_type": "status", "value": "amount", "value_currency": "currency", "confidence": "probability",
                 "date_created": "created", "date_updated": "modified", "date_won": "won_at", "date_lost": "lost_at",
                 "note": "next_step"},
            )
        },
        {
            "reps": ("opportunities", {"rep_id": ("user_id", "user_name"), "name": ("user_name", "user_id")}),
            "opportunities": (
                "opportunities",
                {"opportunity_id": "id", "rep_id": ("user_id", "user_name"), "account_id": "lead_name",
                 "created_on": "date_created", "closed_on": ("date_won",), "stage": ("status_label", "status_type"),
                 "is_won": ("status_label", "status_type"), "is_closed": ("status_label", "status_type"),
                 "amount": "value", "currency": "value_currency"},
            ),
        },
    ),
    "freshsales": Family(
        {
            "deals_export": (
                "deals",
                {"Id": "number", "Name": "title", "Deal value": "amount", "Deal stage": "stage", "Sales owner": "owner_name",
                 "Account": "firm", "Expected close date": "expected", "Closed date": "closed_only", "Created at": "created",
                 "Lost reason": "reason", "Type": "type", "Currency": "currency", "Expected deal value": "weighted"},
            )
        },
        {
            "reps": ("deals_export", {"rep_id": "Sales owner", "name": "Sales owner"}),
            "opportunities": (
                "deals_export",
                {"opportunity_id": "Id", "rep_id": "Sales owner", "account_id": "Account", "created_on": "Created at",
                 "closed_on": "Closed date", "expected_close_on": "Expected close date", "stage": "Deal stage",
                 "is_won": "Deal stage", "is_closed": "Deal stage", "amount": "Deal value", "currency": "Currency",
                 "type": "Type", "loss_reason": "Lost reason"},
            ),
        },
        date="%d/%m/%Y",
    ),
    "a tracking sheet": Family(
        {
            "Tabelle1": (
                "deals",
                {"#": "number", "Deal": "title", "Client": "firm", "Who": "owner_name", "First contact": "created",
                 "Decision": "closed_only", "Result": "status", "EUR": "amount", "Where from": "source", "Remarks": "next_step"},
            )
        },
        {
            "reps": ("Tabelle1", {"rep_id": "Who", "name": "Who"}),
            "opportunities": (
                "Tabelle1",
                {"opportunity_id": "#", "rep_id": "Who", "account_id": "Client", "created_on": "First contact",
                 "closed_on": "Decision", "stage": "Result", "is_won": "Result", "is_closed": "Result", "amount": "EUR",
                 "source": "Where from"},
            ),
        },
        date="%d.%m.%Y", is_clean=False,
    ),
    "sap": Family(
        {
            "OpportunityCollection": (
                "deals",
                {"ObjectID": "id", "OpportunityNumber": "number", "Name": "title", "ProspectPartyName": "firm",
                 "MainEmployeeResponsiblePartyName": "owner_name", "SalesCyclePhaseText": "stage", "LifeCycleStatusText": "status",
                 "ExpectedRevenueAmount": "amount", "WeightedExpectedNetAmount": "weighted",
                 "ExpectedRevenueAmountCurrencyCode": "currency", "CreationDate": "created", "ExpectedProcessingEndDate": "expected",
                 "ClosedOn": "closed_only", "OriginTypeCodeText": "source", "ResultReasonCodeText": "reason"},
            )
        },
        {
            "reps": ("OpportunityCollection", {"rep_id": "MainEmployeeResponsiblePartyName",
                                               "name": "MainEmployeeResponsiblePartyName"}),
            "opportunities": (
                "OpportunityCollection",
                {"opportunity_id": ("ObjectID", "OpportunityNumber"), "rep_id": "MainEmployeeResponsiblePartyName",
                 "account_id": "ProspectPartyName", "created_on": "CreationDate", "closed_on": "ClosedOn",
                 "expected_close_on": "ExpectedProcessingEndDate", "stage": ("SalesCyclePhaseText", "LifeCycleStatusText"),
                 "is_won": ("SalesCyclePhaseText", "LifeCycleStatusText"), "is_closed": ("SalesCyclePhaseText", "LifeCycleStatusText"),
                 "amount": "ExpectedRevenueAmount", "currency": "ExpectedRevenueAmountCurrencyCode", "source": "OriginTypeCodeText",
                 "loss_reason": "ResultReasonCodeText"},
            ),
        },
        is_clean=False,
    ),
}  # fmt: skip
