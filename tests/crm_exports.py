"""Exports of four CRMs, a few rows of each table, with what goes wrong in real ones."""

SALESFORCE_API = {
    "Opportunity": (
        "Id,IsDeleted,AccountId,StageName,Amount,CloseDate,Type,LeadSource,IsClosed,IsWon,"
        "OwnerId,CreatedDate,SystemModstamp,CurrencyIsoCode\n"
        "006A,,001A,Closed Won,1651993.36,2023-06-17,New,Web,1,1,005A,2023-01-22T16:14:25.000+0000,1,USD\n"  # noqa: E501
        "006B,false,001B,Discovery,,2024-07-03,,,false,false,005B,2024-01-22T16:14:25.000+0000,1,EUR\n"  # noqa: E501
        "006C,true,001B,Closed Lost,1,2024-07-03,,,true,false,005B,2024-01-22T16:14:25.000+0000,1,EUR\n"  # noqa: E501
        "006D,0,001B,Closed Lost,5,2023-12-31,,,TRUE,FALSE,005B,2024-01-22T16:14:25.000+0000,1,EUR\n"  # noqa: E501
    ),
    "User": (
        "Id,Name,Title,UserRoleId,ManagerId,UserType,IsActive\n"
        "005A,Ana Diaz,AE,00EA,005M,Standard,true\n"
        "005G,Site Guest,,,,Guest,true\n"
    ),
    "UserRole": "Id,Name,ParentRoleId\n00EA,Sales North,00EC\n00EC,Company,\n",
    "Lead": (
        "Id,IsDeleted,OwnerId,LeadSource,CreatedDate,ConvertedDate,ConvertedOpportunityId,Disqualified_Reason__c\n"  # noqa: E501
        "00QA,false,005A,Web,2024-01-01T08:00:00.000+0000,2024-01-05,006A,\n"
        "00QB,false,005B,Web,2024-01-01T08:00:00.000+0000,,,Duplicate\n"
        "00QC,false,00GQ,Web,2024-01-01T08:00:00.000+0000,,,\n"
    ),
    "Task": (
        "Id,OwnerId,WhatId,WhoId,TaskSubtype,Type,CallDurationInSeconds,ActivityDate,CreatedDate,Status,IsClosed,IsDeleted\n"  # noqa: E501
        "00TA,005A,006A,003A,Call,,125,2024-01-02,2024-01-02T10:00:00.000+0000,Completed,true,false\n"
        "00TB,005A,001A,,Email,,,2024-01-03,2024-01-03T10:00:00.000+0000,Completed,true,false\n"
        "00TC,005B,,,Task,Meeting,,2024-01-04,2024-01-04T10:00:00.000+0000,Completed,true,false\n"
        "00TD,005B,,,Task,,60,,2024-01-05T10:00:00.000+0000,Completed,true,false\n"
        "00TE,005B,,,Task,Prep,,2024-01-06,2024-01-06T10:00:00.000+0000,Completed,true,false\n"
        "00TF,005B,,,Call,,,2024-01-07,2024-01-07T10:00:00.000+0000,Not Started,,false\n"
        "00TG,005B,,,Call,,,2024-01-07,2024-01-07T10:00:00.000+0000,Completed,true,true\n"
    ),
    "Event": (
        "Id,OwnerId,WhatId,Type,StartDateTime,DurationInMinutes,IsDeleted,IsChild\n"
        "00UA,005A,006B,,2024-01-02T10:00:00.000+0000,30,false,false\n"
        "00UB,005A,,Call,2024-01-02T11:00:00.000+0000,15,false,false\n"
        "00UC,005B,006B,,2024-01-02T10:00:00.000+0000,30,false,true\n"
    ),
    "OpportunityHistory": "Id,OpportunityId,StageName,CreatedDate\n008A,006A,Discovery,2023-01-22T16:14:25.000+0000\n",  # noqa: E501
    "OpportunityFieldHistory": (
        "Id,OpportunityId,Field,NewValue,CreatedDate\n"
        "017A,006A,StageName,Closed Won,2023-06-17T10:00:00.000+0000\n"
        "017B,006A,Amount,5,2023-06-17T10:00:00.000+0000\n"
    ),
    "OpportunityStage": (
        "MasterLabel,ApiName,SortOrder,IsActive,IsClosed,IsWon\n"
        "Discovery,Discovery,1,true,false,false\n"
        "Closed Won,Closed Won,2,true,true,true\n"
        "Closed Lost,Closed Lost,3,true,true,false\n"
    ),
    "ForecastingQuota": (
        "QuotaOwnerId,StartDate,QuotaAmount,IsQuantity\n"
        "005A,2024-01-01,1000,false\n005A,2024-02-01,2000,false\n005A,2024-01-01,5,true\n"
    ),
    "DatedConversionRate": "IsoCode,StartDate,NextStartDate,ConversionRate\nEUR,2024-01-01,9999-12-31,0.8\n",  # noqa: E501
}  # fmt: skip

SALESFORCE_REPORT = {
    "report1732550400": (
        "Opportunity Owner,Account Name,Opportunity Name,Stage,Amount,Amount Currency,Close Date,"
        "Created Date,Lead Source,Type,Owner Role\n"
        'Ana Diaz,"Müller, GmbH",Renewal,Closed won,"1,200.00",EUR,6/17/2023,1/2/2023,Web,Existing,North\n'  # noqa: E501
        "Ben Ode,,Pilot,Negotiation,,EUR,6/30/2023,1/3/2023,,,\n"
    )
}

HUBSPOT_TABLES = {
    "deal": (
        "deal_id,is_deleted,deal_pipeline_stage_id,owner_id,property_amount,property_closedate,"
        "property_createdate,property_dealtype,property_closed_lost_reason\n"
        "1,false,s3,11,500,2024-02-01 10:00:00,2024-01-01 10:00:00,newbusiness,\n"
        "2,false,s4,12,700,2024-02-02 10:00:00,2024-01-02 10:00:00,,Price\n"
        "3,false,s1,11,,2024-09-09 10:00:00,2024-01-03 10:00:00,,\n"
        "4,false,,12,,,2024-01-04 10:00:00,,\n"
        "5,true,s3,11,9,2024-02-01 10:00:00,2024-01-01 10:00:00,,\n"
        "6,false,s3,11,9,2024-02-01 10:00:00,2024-01-01 10:00:00,,\n"
    ),
    "deal_pipeline_stage": (
        "stage_id,label,pipeline_id,display_order,closed_won,is_closed,active,_fivetran_deleted\n"
        "s1,Proposal,p,0,FALSE,FALSE,TRUE,FALSE\n"
        "s3,Signed,p,1,TRUE,TRUE,TRUE,FALSE\n"
        "s4,Gone,p,2,FALSE,TRUE,TRUE,FALSE\n"
    ),
    "merged_deal": "deal_id,merged_deal_id\n1,6\n",
    "deal_company": "deal_id,company_id\n1,c1\n",
    "owner": "owner_id,first_name,last_name,email\n11,Ana,Diaz,ana@x.com\n12,,,ben@x.com\n",
    "owner_team": "owner_id,team_id,is_team_primary\n11,t1,true\n11,t2,false\n",
    "team": "id,name\nt1,North\nt2,Overlay\n",
    "deal_stage": "deal_id,value,date_entered\n1,s1,2024-01-05 10:00:00\n1,s3,2024-02-01 10:00:00\n",  # noqa: E501
    "contact": (
        "id,property_lifecyclestage,property_createdate,property_hubspot_owner_id,"
        "property_hs_lifecyclestage_salesqualifiedlead_date\n"
        "k1,customer,2024-01-01 08:00:00,11,2024-01-03 08:00:00\n"
        "k2,subscriber,2024-01-01 08:00:00,11,\n"
        "k3,lead,2024-01-01 09:00:00,99,\n"
    ),
    "deal_contact": "contact_id,deal_id\nk1,1\n",
    "engagement_call": (
        "engagement_id,property_hubspot_owner_id,property_hs_timestamp,property_hs_call_duration,"
        "property_hs_call_disposition,property_hs_call_status\n"
        "e1,11,2024-01-05 10:00:00,61500,f240bbac-87c9-4f6e-bf70-924b57d47db7,COMPLETED\n"
        "e2,11,2024-01-06 10:00:00,0,73a0d17f-1163-4015-bdd5-ec830791da20,COMPLETED\n"
        "e3,11,2024-01-07 10:00:00,,our-own,SCHEDULED\n"
        "e4,,2024-01-08 10:00:00,1000,our-own,COMPLETED\n"
    ),
    "engagement_meeting": (
        "engagement_id,start_time,end_time,meeting_outcome\n"
        "m1,2024-01-05 10:00:00,2024-01-05 10:45:00,COMPLETED\n"
        "m2,2024-01-06 10:00:00,2024-01-06 10:30:00,No_Show\n"
        "m3,2024-01-07 10:00:00,,\n"
    ),
    "engagement": "id,owner_id\nm1,12\nm2,12\nm3,12\n",
    "engagement_email": (
        "engagement_id,property_hubspot_owner_id,property_hs_timestamp,property_hs_email_direction\n"  # noqa: E501
        "x1,12,2024-01-05 10:00:00,EMAIL\nx2,12,2024-01-05 11:00:00,INCOMING_EMAIL\n"
    ),
    "engagement_deal": "engagement_id,deal_id\ne1,1\nm1,2\n",
}

HUBSPOT_EXPORT = {
    "all-deals": (
        "Record ID,Deal Name,Deal Stage,Amount,Deal owner,Close Date,Create Date,Deal Type,"
        "Closed Lost Reason,HubSpot Team\n"
        "1,A,Closed won (Sales Pipeline),100,Ana Diaz,2024-02-01 10:00,2024-01-01 10:00,New Business,,North\n"  # noqa: E501
        "2,B,Closed Lost,200,Ana Diaz,2024-02-02 10:00,2024-01-01 10:00,,Price,North\n"
        "3,C,closedwon,300,,2024-02-03 10:00,2024-01-01 10:00,,,\n"
        "4,D,Contract sent (Sales Pipeline),400,Ben Ode,2024-12-31 10:00,2024-01-01 10:00,,,\n"
    )
}

PIPEDRIVE_API = {
    "deals": (
        "id,title,value,currency,add_time,won_time,lost_time,close_time,status,user_id,stage_id,"
        "org_id,lost_reason,expected_close_date,update_time\n"
        "1,A,1000,EUR,2024-01-01 10:00:00,2024-02-01 10:00:00,,2024-02-01 10:00:00,won,7,3,40,,2024-02-10,1\n"  # noqa: E501
        "2,B,2000,EUR,2024-01-02 10:00:00,,2024-02-02 10:00:00,2024-02-02 10:00:00,lost,8,2,,Price,,1\n"  # noqa: E501
        # reopened: the time it was won once is kept by the CRM
        "3,C,3000,EUR,2024-01-03 10:00:00,2024-01-20 10:00:00,,,open,7,2,,,2024-09-30,1\n"
        "4,D,1,EUR,2024-01-03 10:00:00,,,,deleted,7,2,,,,1\n"
    ),
    "users": "id,name,email,active_flag,role_id\n7,Ana Diaz,a@x.com,1,1\n",
    "stages": "id,order_nr,name,pipeline_id\n2,1,Demo,1\n3,2,Offer,1\n",
    "organizations": "id,name,address_country\n40,Acme,Spain\n",
    "activities": (
        "id,type,due_date,due_time,duration,done,user_id,deal_id,add_time\n"
        "1,call,2024-01-05,14:30,00:30,1,7,1,2024-01-04 10:00:00\n"
        "2,lunch,2024-01-06,,,true,8,,2024-01-04 10:00:00\n"
        "3,task,2024-01-06,,,1,8,,2024-01-04 10:00:00\n"
        "4,call,2024-01-07,,,0,8,,2024-01-04 10:00:00\n"
    ),
    "leads": (
        "id,title,owner_id,source_name,add_time\n"
        "u-1,A,7,Web,2024-01-01T10:00:00Z\nu-2,B,9,Web,2024-01-01T10:00:00Z\n"
    ),
}

ZOHO = {
    "Deals": (
        "Record Id,Deal Owner.id,Deal Owner,Deal Name,Stage,Amount,Closing Date,Created Time,"
        "Lead Source,Type,Account Name,Reason For Loss\n"
        'zcrm_1,zcrm_u1,Ana Diaz,A,Closed Won,"$22,700.00","30 Apr, 2021","15 Apr, 2021 00:02:00",Web,New,Acme,\n'  # noqa: E501
        'zcrm_2,zcrm_u2,Ben Ode,B,Closed-Lost to Competition,$342.09K,"30 Apr, 2021","15 Apr, 2021 00:02:00",,,,Price\n'  # noqa: E501
        'zcrm_3,zcrm_u2,Ben Ode,C,Negotiation/Review,,"31 Dec, 2021","15 Apr, 2021 00:02:00",,,,\n'
        'zcrm_4,zcrm_u2,Ben Ode,D,closed lost,5,"14 Apr, 2021","15 Apr, 2021 00:02:00",,,,\n'
    ),
    "Users": "User Id,Full Name,Email,Role\nzcrm_u1,Ana Diaz,a@x.com,Sales Rep\n",
    "Leads": (
        "Record Id,Lead Owner.id,Lead Owner,Lead Source,Lead Status,Created Time,Converted Deal.id\n"  # noqa: E501
        "zcrm_l1,zcrm_u1,Ana Diaz,Web,Contacted,2021-04-01 10:00:00,zcrm_1\n"
        "zcrm_l2,zcrm_u9,Zoe,Web,Junk Lead,2021-04-01 10:00:00,\n"
    ),
    "Calls": (
        "Record Id,Call Owner.id,Call Owner,Call Type,Call Status,Call Start Time,Call Duration\n"
        "zcrm_c1,zcrm_u1,Ana Diaz,Outbound,Completed,2021-04-02 10:00:00,05:30\n"
        "zcrm_c2,zcrm_u1,Ana Diaz,Outbound,Scheduled,2021-04-02 11:00:00,\n"
    ),
    "Events": (
        "Record Id,Host.id,Host,From,To\n"
        'zcrm_e1,zcrm_u2,Ben Ode,"2 Apr, 2021 10:00:00","2 Apr, 2021 10:30:00"\n'
    ),
}
