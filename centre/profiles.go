package centre

import (
	"maps"
	"slices"

	"hospay/flow"
)

// The codes of the shipped profiles. All but the first are examples from public
// programs of single hospitals: a hospital checks them with its own centre.
const (
	National  = "national"  // 全国统一接口，按公开资料
	Guangzhou = "guangzhou" // 广东省广州市；除城市代码和就医范围外未证实
	Hainan    = "hainan"    // 海南：6302 为明文 JSON，应答为空
	Shanxi    = "shanxi"    // 山西一家医院：医保先结算，自费后支付
)

// Profile is a copy of a shipped profile.
func Profile(code string) (Region, bool) {
	make, ok := profiles[code]
	if !ok {
		return Region{}, false
	}
	r := national()
	make(&r)
	r.Code = code
	return r, true
}

// Profiles are the codes of all shipped profiles.
func Profiles() []string { return slices.Sorted(maps.Keys(profiles)) }

var profiles = map[string]func(*Region){
	National:  func(*Region) {},
	Guangzhou: guangzhou,
	Hainan:    hainan,
	Shanxi:    shanxi,
}

func national() Region {
	return Region{
		Title: "全国统一接口",
		Paths: Paths{Upload: "/org/local/api/hos/uldFeeInfo", Order: "/org/local/api/hos/pay_order", Refund: "/org/local/api/hos/refund_Order",
			Query: "/org/local/api/hos/query_order_info", Undo: "/org/local/api/hos/revoke_order"},
		Version: "2.0.1", SM2UserID: UserSecret, Stamp: StampSeconds, NumbersAsText: true, SuccessCodes: []string{"0"},
		Refusals: map[string]Refusal{
			"114": {Who: flow.ActorIT, Words: "授权所用的应用编号与调用所用的不一致"},
		},
		AnswerAge: 600, NoticeAge: 24 * 3600,
		Order: CashFirst, OtherInTotal: true,
		RefundForm: RefundFilled, PartialCash: true, AfterRefusedWrite: RefundByCredential,
		AuthMinutes: 5, PriceMinutes: 15, OrderMinutes: 30, RefundWaitDays: 7,
		Books:      Books{ClearType: "11", WithRefunds: "1", Separator: "\t"},
		NoticeForm: NoticeSealed, NoticeReply: ReplySealed,
	}
}

// guangzhou is a guess but for two facts: WeChat's city code of four hospitals,
// and that city and provincial funds alone are taken (穗, 省直). The code of the
// provincial fund is unconfirmed, and so are path, SM2 user id and order.
func guangzhou(r *Region) {
	r.Title, r.WechatCity, r.Areas = "广东省广州市（多数设置未证实）", "440108", []string{"440100", "440199", "440000"}
}

func hainan(r *Region) {
	r.Title, r.NoticeForm, r.NoticeReply, r.RefundForm = "海南省（示例）", NoticePlain, ReplyEmpty, RefundBare
}

// shanxi is one hospital's: insurance first, both 0 and 1 as success, the
// default user id, and an account flag that depends on the insured area.
func shanxi(r *Region) {
	r.Title, r.Order, r.SuccessCodes, r.SM2UserID = "山西省（示例：医保先结算）", InsuranceFirst, []string{"0", "1"}, UserDefault
}
