"""Names of the fields of FIX 4.4 that executions carry, for people who read a message."""

FIELD_NAMES = {
    1: "Account", 6: "AvgPx", 8: "BeginString", 9: "BodyLength", 10: "CheckSum", 11: "ClOrdID",
    12: "Commission", 13: "CommType", 14: "CumQty", 15: "Currency", 17: "ExecID", 19: "ExecRefID",
    22: "SecurityIDSource", 30: "LastMkt", 31: "LastPx", 32: "LastQty", 34: "MsgSeqNum",
    35: "MsgType", 37: "OrderID", 38: "OrderQty", 39: "OrdStatus", 40: "OrdType", 41: "OrigClOrdID",
    43: "PossDupFlag", 44: "Price", 48: "SecurityID", 49: "SenderCompID", 50: "SenderSubID",
    52: "SendingTime", 54: "Side", 55: "Symbol", 56: "TargetCompID", 57: "TargetSubID", 58: "Text",
    59: "TimeInForce", 60: "TransactTime", 63: "SettlType", 64: "SettlDate", 75: "TradeDate",
    97: "PossResend", 122: "OrigSendingTime", 136: "NoMiscFees", 137: "MiscFeeAmt",
    138: "MiscFeeCurr", 139: "MiscFeeType", 150: "ExecType", 151: "LeavesQty", 167: "SecurityType",
    200: "MaturityMonthYear", 207: "SecurityExchange", 231: "ContractMultiplier",
    378: "ExecRestatementReason", 442: "MultiLegReportingType", 447: "PartyIDSource",
    448: "PartyID", 452: "PartyRole", 453: "NoPartyIDs", 460: "Product", 461: "CFICode",
    479: "CommCurrency", 523: "PartySubID", 527: "SecondaryExecID", 541: "MaturityDate",
    555: "NoLegs", 556: "LegCurrency", 564: "LegPositionEffect", 566: "LegPrice", 600: "LegSymbol",
    602: "LegSecurityID", 608: "LegCFICode", 610: "LegMaturityMonthYear", 611: "LegMaturityDate",
    623: "LegRatioQty", 624: "LegSide", 637: "LegLastPx", 654: "LegRefID", 687: "LegQty",
    802: "NoPartySubIDs", 803: "PartySubIDType", 880: "TrdMatchID", 891: "MiscFeeBasis",
}  # fmt: skip
