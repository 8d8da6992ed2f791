package wechat

import (
	"time"

	"hospay/calendar"
	"hospay/payment"
)

// What the tests of payments pay.
const (
	testPartner       = "61000000000000000000000000000009"
	testPartnerSecret = "partner-secret-do-not-tell"
)

var (
	testPerson  = payment.Person{Name: "张三丰", IDType: "01", IDNo: "44030019000101123x"}
	testPatient = payment.Person{Name: "李小龙", IDType: "01", IDNo: "440300200001011234"}
	testBegun   = time.Date(2026, 1, 2, 3, 4, 5, 0, calendar.Beijing)
)

func jsapiTrade() payment.Trade {
	return payment.Trade{No: "P20260102A1", Kind: payment.KindOutpatient, Amount: 2700, Payer: "oSecretOpenID0001",
		Terminal: payment.TerminalMini,
		Title:    "门诊缴费", Begun: testBegun, Expires: testBegun.Add(30 * time.Minute)}
}

func kioskTrade() payment.Trade {
	t := jsapiTrade()
	t.Payer, t.Terminal = "", payment.TerminalKiosk
	return t
}

func tradeRefund() payment.TradeRefund {
	return payment.TradeRefund{No: "P20260102A1R01", Trade: jsapiTrade(), ChannelNo: "4200000001", Amount: 700, Reason: "退费"}
}

// mixedOrder is 120 yuan: 70 fund, 20 account, 3 other, 27 cash.
func mixedOrder() payment.Mixed {
	t := jsapiTrade()
	t.Handle, t.Insured = "wx20260102prepay", true
	return payment.Mixed{Trade: t, MedOrgOrd: "M2601020001", PayOrdID: "ORD440100202601020000000001", PayAuthNo: "AUTH44010020260102000001",
		Total: 12000, Fund: 7000, Account: 2000, Other: 300, Cash: 2700, Holder: testPerson, City: "440108", OrgCode: "H44010000001",
		OrgName: "演示医院", Location: "113.264400,23.129100"}
}

func authorisationAsk() payment.AuthorisationAsk {
	return payment.AuthorisationAsk{Payer: "oSecretOpenID0001", Terminal: payment.TerminalH5, Back: "https://hospital.example/pay?x=1&y=2",
		OrgCode: "H44010000001", AppID: "43AF047BBA47FC8A1AE8EFB232BDBBCB", City: "440108", No: "PA1"}
}
