package alipay

// Settings can be changed through POST /_sim/settings. They hold everything
// that no public text confirms, and what tests want to compress.
type Settings struct {
	GatewayURL        string  `json:"gateway_url"`           // application gateway: gets alipay.fund.trans.order.changed
	NotifyFallback    bool    `json:"notify_fallback"`       // without gateway_url the transfer's notify_url gets it
	CallbackScale     float64 `json:"callback_scale"`        // factor on the resend gaps
	KeyModeFundOut    bool    `json:"key_mode_fund_out"`     // fund-out methods also in public key mode
	SingleLimit       int64   `json:"single_limit"`          // fen, towards a person
	DayLimit          int64   `json:"day_limit"`             // fen, 0 = none
	RequireScene      bool    `json:"require_scene"`         // transfer_scene_name is required
	NameCode          string  `json:"name_code"`             // PAYEE_NOT_EXIST or PAYEE_USER_INFO_ERROR
	StoreFailed       bool    `json:"store_failed"`          // a refused payee leaves a FAIL order that the query shows
	DealingMS         int     `json:"dealing_ms"`            // > 0: DEALING first
	NumberScope       string  `json:"number_scope"`          // an out_biz_no is known to the whole "merchant" or to one "app"
	AnyPayee          bool    `json:"any_payee"`             // accounts outside the test world are accepted
	RefundDays        int     `json:"refund_days"`           // a payment becomes TRADE_FINISHED after this
	RefundQuerySec    int     `json:"refund_query_sec"`      // a refund query earlier than this says nothing
	BillReadyHour     int     `json:"bill_ready_hour"`       // Beijing hour of the next day
	BillAnyDay        bool    `json:"bill_any_day"`          // also today's bill can be had
	EmptyBill         string  `json:"empty_bill"`            // "file" (EMPTY_DATA_WITH_BILL_FILE) or "none" (BILL_NOT_EXIST)
	BillTransferType  string  `json:"bill_transfer_type"`    // 业务类型 of transfers
	BillRefundSign    string  `json:"bill_refund_sign"`      // "negative" or "positive" amounts of refund rows
	DownloadURL       string  `json:"download_url"`          // "self" or "official"
	ReceiptDelayMS    int     `json:"receipt_delay_ms"`      // INIT/PROCESS → SUCCESS, virtual
	IDMode            string  `json:"id_mode"`               // OAuth gives "user_id" or "open_id"
	GrantIdentity     bool    `json:"grant_identity"`        // user.info.share gives real-name fields
	RefuseMessages    bool    `json:"refuse_messages"`       // MSG_UNSUBSCRIBED
	NotifyCertSN      bool    `json:"notify_cert_sn"`        // notifications carry alipay_cert_sn in certificate mode
	MaxTimestampDrift int     `json:"max_timestamp_drift_s"` // seconds between the request's timestamp and real time

	// Orders with insurance: none of these words and codes is published.
	MedicalWords   map[string]string `json:"medical_words"`   // words of the two states, by CREATED, SUCCESS, FAIL, REFUND
	MedicalMissing string            `json:"medical_missing"` // sub_code of an order that is not known
	MedicalResult  string            `json:"medical_result"`  // result_code of success
	ApplyStatus    string            `json:"apply_status"`    // refund_status of a refund by asset
	ConsentMinutes int               `json:"consent_minutes"` // life of an authorisation
}

func defaults() Settings {
	return Settings{NotifyFallback: true, NumberScope: "merchant", CallbackScale: 1, SingleLimit: 5_000_000, NameCode: "PAYEE_NOT_EXIST",
		RefundDays: 365, RefundQuerySec: 10,
		BillReadyHour: 9, EmptyBill: "file", BillTransferType: "转账", BillRefundSign: "negative", DownloadURL: "self", ReceiptDelayMS: 1000,
		IDMode: "user_id", GrantIdentity: true, MaxTimestampDrift: 600,
		MedicalWords:   map[string]string{"CREATED": "WAIT_PAY", "SUCCESS": "SUCCESS", "FAIL": "FAIL", "REFUND": "REFUND"},
		MedicalMissing: "ORDER_NOT_EXIST", MedicalResult: "SUCCESS", ApplyStatus: "REFUND_PROCESSING", ConsentMinutes: 10}
}

// sceneNames are the declared uses of money of newer transfer contracts.
var sceneNames = []string{"现金营销", "企业退款", "佣金报酬", "业务结算", "二手回收", "公益补助", "行政补贴和退款", "保险理赔"}
