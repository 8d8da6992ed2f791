package wechat

// Settings can be changed through POST /_sim/settings. They hold everything
// that no official text confirms, and what tests want to compress.
type Settings struct {
	AutoConfirm         bool    `json:"auto_confirm"`          // the virtual patient confirms at once
	AutoConfirmMS       int     `json:"auto_confirm_ms"`       // virtual delay of that
	AcceptMS            int     `json:"accept_ms"`             // > 0: create answers ACCEPTED first
	TransferMS          int     `json:"transfer_ms"`           // TRANSFERING → SUCCESS
	CancelMS            int     `json:"cancel_ms"`             // CANCELING → CANCELLED
	RefundMS            int     `json:"refund_ms"`             // refund PROCESSING → SUCCESS
	CloseLagMin         int     `json:"close_lag_min"`         // minutes after 24 h before an unconfirmed bill closes
	SingleLimit         int64   `json:"single_limit"`          // fen
	DayLimit            int64   `json:"day_limit"`             // fen per merchant and day, 0 = none
	UserDayLimit        int64   `json:"user_day_limit"`        // fen per payee and day, 0 = none
	DifferentParamsCode string  `json:"different_params_code"` // ALREADY_EXISTS or INVALID_REQUEST
	NotEnoughMode       string  `json:"not_enough_mode"`       // "refuse" (403) or "accept" (the bill waits in ACCEPTED)
	NameCheckAt         string  `json:"name_check_at"`         // "create" or "confirm"
	UnknownOpenid       string  `json:"unknown_openid"`        // "refuse" (400 INVALID_REQUEST) or "fail" (FAIL OPENID_INVALID)
	SamePackage         bool    `json:"same_package"`          // a re-POST gives the same package_info
	NotFoundStatus      int     `json:"not_found_status"`      // HTTP status of NOT_FOUND
	CallbackScale       float64 `json:"callback_scale"`        // factor on the resend gaps
	CallbackKey         string  `json:"callback_key"`          // "public_key", "certificate" or "alternate"
	CallbackMchField    string  `json:"callback_mch_field"`    // "mch_id" or "mchid"
	PlatformCertificate bool    `json:"platform_certificate"`  // false: a new merchant, only the public key exists
	DownloadURL         string  `json:"download_url"`          // "official" or "self"
	DownloadSigned      bool    `json:"download_signed"`       // downloads must carry a request signature
	BillReadyHour       int     `json:"bill_ready_hour"`       // Beijing hour of the next day
	BillAnyDay          bool    `json:"bill_any_day"`          // also today's bill can be had
	BillTransferName    string  `json:"bill_transfer_name"`    // 业务名称 of a transfer
	BillReturnName      string  `json:"bill_return_name"`      // 业务名称 of returned money
	BillVoucher         string  `json:"bill_voucher"`          // 业务凭证号 of transfers: "out_bill_no" or "transfer_bill_no"
	BillExpiredRows     bool    `json:"bill_expired_rows"`     // locked and released money leaves rows
	ReceiptDelayMS      int     `json:"receipt_delay_ms"`      // GENERATING → FINISHED, virtual
	RefundGapSec        int     `json:"refund_gap_sec"`        // between partial refunds of one payment
	RefundYears         int     `json:"refund_years"`          // age limit of the payment
	SnapshotUser        bool    `json:"snapshot_user"`         // OAuth answers is_snapshotuser = 1
	NoUnionid           bool    `json:"no_unionid"`            // logins tell no unionid, as of apps that no open platform joins
	RefuseMessages      bool    `json:"refuse_messages"`       // subscribe messages: 43101
	AnyOpenid           bool    `json:"any_openid"`            // openids outside the test world are accepted
	MixedNotFound       string  `json:"mixed_not_found"`       // code of an order with insurance that is not known
	MixedRefundFields   string  `json:"mixed_refund_fields"`   // "single" or "double" underscores in the notice of a refund
	MixedPassThrough    string  `json:"mixed_pass_through"`    // passthrough_request_content: "either", "required" or "forbidden"
	ReversedWord        string  `json:"reversed_word"`         // what an order that WeChat took back is told as
	LocationForm        string  `json:"location_form"`         // userQuery tells the place as "text", "object" or "camel"
	CodeMinutes         int     `json:"code_minutes"`          // life of the code of a credential
}

func defaults() Settings {
	return Settings{SingleLimit: 2_000_000, DifferentParamsCode: "ALREADY_EXISTS", NotEnoughMode: "refuse", NameCheckAt: "create",
		UnknownOpenid: "refuse", SamePackage: true, NotFoundStatus: 404, CallbackScale: 1, CallbackKey: "public_key", CallbackMchField: "mch_id",
		PlatformCertificate: true, DownloadURL: "official", DownloadSigned: true, BillReadyHour: 9, BillTransferName: "商家转账",
		BillReturnName: "商家转账回退", BillVoucher: "out_bill_no", ReceiptDelayMS: 1000, RefundGapSec: 60, RefundYears: 1,
		MixedNotFound: "NOT_FOUND", MixedRefundFields: "single", MixedPassThrough: "either", ReversedWord: "MIX_PAY_REVERSED",
		LocationForm: "text", CodeMinutes: 5}
}

// scene is what one transfer scene allows; the first perception is the default.
type scene struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Perceptions []string `json:"user_recv_perceptions"`
	InfoTypes   []string `json:"info_types"`
}

// scenes follow the official scene pages; 1009, 1010 and 1013 are unconfirmed ids.
var scenes = []scene{
	{"1000", "现金营销", []string{"活动奖励", "现金奖励"}, []string{"活动名称", "奖励说明"}},
	{"1002", "行政补贴", []string{"行政补贴", "行政奖励"}, []string{"补贴类型"}},
	{"1004", "保险理赔", []string{"保险理赔款"}, []string{"保险产品备案编号", "保险名称", "保险操作单号"}},
	{"1005", "佣金报酬", []string{"劳务报酬", "报销款", "企业补贴", "开工利是"}, []string{"岗位类型", "报酬说明"}},
	{"1009", "采购货款", []string{"货款"}, []string{"采购商品名称"}},
	{"1010", "二手回收", []string{"二手回收货款"}, []string{"回收商品名称"}},
	{"1011", "企业赔付", []string{"退款", "商家赔付"}, []string{"赔付原因"}},
	{"1013", "公益补助", []string{"公益补助金"}, []string{"公益活动名称", "公益活动备案编号"}},
}

func findScene(id string) *scene {
	for i := range scenes {
		if scenes[i].ID == id {
			return &scenes[i]
		}
	}
	return nil
}
