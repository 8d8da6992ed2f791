package his

import "slices"

// rule says what an operation, or a list inside of one, may and must have.
type rule struct {
	places  []string   // placeholders of its template
	sends   [][]string // of each group the template must have one
	fields  []string
	must    []string // fields without which its answer proves nothing
	oneOf   []string // of which it must have one
	lists   map[string]rule
	list    bool // its rows are a list; of a list inside: it must be there
	asks    bool // it only asks
	records bool // one odd character of its answer spoils its own field only
	states  bool // its field "status" is one of done and pending
}

var (
	personPlaces = []string{"patient_no", "id_type", "id_no", "name"}
	debitPlaces  = []string{"our_no", "order_no", "card_no", "amount", "method", "channel", "deposit_no"}
	movePlaces   = append([]string{"debit_no", "his_no"}, debitPlaces...)
	moveFields   = []string{"his_no", "amount", "card_no", "time", "status"}
	proof        = []string{"his_no", "amount"}

	insuredPlaces  = append([]string{"card_no", "area"}, personPlaces...)
	identityPlaces = append([]string{"bill_no", "psn_no", "benefit", "insutype", "med_type", "dise_code", "disease", "channel"},
		insuredPlaces...)
	chargePlaces = []string{"our_no", "charge_no", "his_no", "order_no", "bill_no", "card_no", "kind", "channel", "way", "terminal",
		"total", "fund", "account", "family", "own_account", "other", "cash", "insured", "trade_no", "channel_no", "paid_at",
		"pay_ord_id", "med_org_ord", "setl_id", "mdtrt_id", "setl_time", "setl_info", "json.setl_info"}
	settlePlaces = []string{"order_no", "bill_no", "card_no", "business", "pay_ord_id", "med_org_ord", "mdtrt_id", "ec_token", "total", "fund",
		"account", "other", "cash"}
	refundPlaces  = append([]string{"refund_no", "whole", "back", "fund_back", "account_back", "cash_back", "refunded_at"}, chargePlaces...)
	receiptFields = []string{"his_no", "amount", "bill_no", "card_no", "guide", "time", "status", "cancel_no", "cancel_ser"}

	billFields = []string{"bill_no", "card_no", "kind", "status", "title", "department", "doctor", "created", "pay_before", "amount",
		"insurable", "reason"}
	visitFields = []string{"visit_no", "mdtrt_id", "psn_no", "insutype", "area", "med_type", "fee_type", "begun", "dept_code", "dept_name",
		"caty", "doc_no", "doc_name", "dise_code", "dise_name", "setl_way", "reform", "self_pay", "over_limit", "advance", "in_scope"}

	itemRule = rule{fields: []string{"name", "spec", "unit", "count", "price", "amount"}, must: []string{"name", "amount"}}
	feeRule  = rule{fields: []string{"no", "rx_no", "time", "list_code", "own_code", "name", "spec", "count", "price", "sum", "approved"},
		must: []string{"no", "list_code", "sum"}}
	diseaseRule = rule{fields: []string{"type", "no", "code", "name", "time"}, must: []string{"code"}}
	benefitRule = rule{fields: []string{"id", "area", "psn_no", "insutype", "insutype_name", "med_type", "med_type_name", "dise_code",
		"disease", "balance", "state", "enjoyed", "reason"}, must: []string{"insutype"}, list: true}
)

// numbers are the placeholders that may stand without quotes.
var numbers = []string{"amount", "page", "page_size", "total", "fund", "account", "family", "own_account", "other", "cash", "insured",
	"back", "fund_back", "account_back", "cash_back"}

var rules = map[string]rule{
	OpPerson: {places: personPlaces, fields: []string{"patient_no", "name", "id_type", "id_no", "phone"}, must: []string{"name", "id_no"},
		asks: true, records: true},
	OpCards: {places: personPlaces, list: true, fields: []string{"card_no", "card_name", "balance", "refundable", "issued_at"},
		must: []string{"card_no"}, asks: true, records: true},
	OpCard: {places: []string{"card_no"}, sends: [][]string{{"card_no"}}, must: []string{"balance"},
		fields: []string{"card_no", "card_name", "balance", "refundable", "issued_at"}, asks: true, records: true},
	OpDeposits: {places: []string{"card_no"}, sends: [][]string{{"card_no"}}, list: true, must: []string{"deposit_no", "amount", "refundable"},
		fields: []string{"deposit_no", "amount", "refundable", "channel", "trade_no", "channel_no", "paid_at"}, asks: true, records: true},
	OpDebit:      {places: debitPlaces, sends: [][]string{{"our_no"}, {"card_no"}, {"amount"}}, fields: moveFields, must: proof, states: true},
	OpQueryDebit: {places: movePlaces, sends: [][]string{{"our_no"}}, fields: moveFields, must: proof, asks: true, states: true},
	OpReverse:    {places: movePlaces, sends: [][]string{{"debit_no", "his_no"}}, fields: moveFields, must: []string{"amount"}, states: true},
	OpQueryReverse: {places: movePlaces, sends: [][]string{{"our_no", "debit_no", "his_no"}}, fields: moveFields, must: []string{"amount"},
		asks: true, states: true},
	OpStatement: {places: []string{"date", "page", "page_size"}, sends: [][]string{{"date"}}, list: true, must: []string{"our_no", "amount"},
		fields: []string{"order_no", "our_no", "his_no", "card_no", "amount", "method", "channel", "status", "time"}, asks: true,
		records: true},

	OpBills: {places: []string{"card_no"}, sends: [][]string{{"card_no"}}, list: true, fields: billFields,
		must: []string{"bill_no", "amount"}, lists: map[string]rule{"items": itemRule}, asks: true, records: true},
	OpBill: {places: []string{"card_no", "bill_no"}, sends: [][]string{{"bill_no"}}, fields: slices.Concat(billFields, visitFields),
		must:  []string{"bill_no", "amount"},
		lists: map[string]rule{"items": itemRule, "fees": feeRule, "diseases": diseaseRule}, asks: true, records: true},
	OpDepartments: {list: true, fields: []string{"code", "name"}, must: []string{"code", "name"}, asks: true, records: true},
	OpSlots: {places: []string{"department", "date"}, sends: [][]string{{"department"}, {"date"}}, list: true,
		fields: []string{"slot_id", "department", "day", "period", "doctor", "title", "left", "amount"}, must: []string{"slot_id", "amount"},
		asks: true, records: true},
	OpLock: {places: []string{"our_no", "slot_id", "card_no"}, sends: [][]string{{"our_no"}, {"slot_id"}, {"card_no"}}, fields: billFields,
		must: []string{"bill_no", "amount"}, lists: map[string]rule{"items": itemRule}, records: true},
	OpRelease: {places: []string{"our_no", "slot_id", "card_no"}, sends: [][]string{{"our_no", "slot_id"}}},
	OpAreas:   {list: true, fields: []string{"code", "name", "own"}, must: []string{"code", "name"}, asks: true, records: true},
	OpEnrolment: {places: insuredPlaces, sends: [][]string{{"area"}, {"id_no", "patient_no", "card_no"}},
		fields: []string{"enrolled", "reason", "psn_no"}, lists: map[string]rule{"benefits": benefitRule}, asks: true, records: true},
	OpIdentity: {places: identityPlaces, sends: [][]string{{"area"}, {"insutype", "benefit"}, {"id_no", "patient_no", "card_no", "bill_no"}}},
	OpBearer: {places: []string{"cert_type", "cert_no", "business"}, sends: [][]string{{"cert_no"}},
		fields: []string{"patient_no", "name", "id_type", "id_no", "phone", "ec_token"}, must: []string{"patient_no", "name", "id_no"},
		asks: true, records: true},
	OpSettle: {places: settlePlaces, sends: [][]string{{"pay_ord_id", "med_org_ord"}, {"ec_token"}}},
	OpCharge: {places: chargePlaces, sends: [][]string{{"our_no"}, {"bill_no"}, {"total", "cash"}}, fields: receiptFields,
		must: []string{"his_no"}, states: true},
	OpTradeCheck: {places: chargePlaces, sends: [][]string{{"charge_no", "our_no"}}, fields: receiptFields, must: []string{"his_no"},
		asks: true, states: true},
	OpUncharge: {places: chargePlaces, sends: [][]string{{"charge_no", "his_no", "pay_ord_id", "med_org_ord"}}, fields: receiptFields,
		oneOf: []string{"his_no", "cancel_no"}, states: true},
	OpUnchargeCheck: {places: chargePlaces, sends: [][]string{{"our_no", "charge_no", "his_no", "pay_ord_id", "med_org_ord"}},
		fields: receiptFields, oneOf: []string{"his_no", "cancel_no"}, asks: true, states: true},
	OpRefundCheck: {places: chargePlaces, sends: [][]string{{"charge_no", "his_no", "bill_no"}}, fields: []string{"allowed", "reason"},
		asks: true},
	OpRefundNotice: {places: refundPlaces, sends: [][]string{{"charge_no", "his_no", "bill_no"}, {"refund_no", "our_no"},
		{"back", "cash_back", "whole"}}, fields: []string{"his_no", "amount", "status", "time"}, states: true},
	OpCharges: {places: []string{"date", "page", "page_size"}, sends: [][]string{{"date"}}, list: true, must: []string{"cash", "order_no"},
		fields: []string{"order_no", "refund_no", "trade_no", "his_no", "card_no", "cash", "kind", "channel", "status", "time"}, asks: true,
		records: true},
}
