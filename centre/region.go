package centre

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"hospay/flow"
)

// Region is how one region does it, as data. What no public text confirms has a
// default that believes less and moves less; such fields say "unconfirmed".
type Region struct {
	Code  string `json:"code"`
	Title string `json:"title"`

	// Wire.
	Paths         Paths    `json:"paths"`
	Version       string   `json:"version"`
	SM2UserID     string   `json:"sm2_user_id"`     // UserSecret, UserDefault or the id itself; regional, unconfirmed
	Stamp         string   `json:"stamp"`           // StampSeconds or StampMillis
	NumbersAsText bool     `json:"numbers_as_text"` // every leaf is sent as a string: then all variants sign the same bytes
	FoldCase      bool     `json:"fold_case"`       // keys are sorted without regard to case; one demo does
	SuccessCodes  []string `json:"success_codes"`   // of the envelope
	// codes that prove that nothing was done; the centre's full table is unconfirmed
	Refusals         map[string]Refusal `json:"refusals"`
	UnsignedRefusals bool               `json:"unsigned_refusals"` // a listed code counts without a signature; unconfirmed, so it does not
	AnswerAge        int                `json:"answer_age"`        // seconds that an answer may lie from now, either way; unconfirmed
	NoticeAge        int                `json:"notice_age"`        // the same of 6302, whose resends may keep their first time; unconfirmed

	// Money.
	Order            string `json:"order"`               // CashFirst or InsuranceFirst
	OtherInTotal     bool   `json:"other_fee_in_total"`  // othFeeAmt is part of feeSumamt; an older edition had it beside it
	HospPartAsReduce bool   `json:"hosp_part_as_reduce"` // hospPartAmt lowers the cash at the channel; seen once, for registration only

	// Refunds.
	RefundForm           string `json:"refund_form"`                 // RefundFilled or RefundBare
	RefundTotalWithOther bool   `json:"refund_total_includes_other"` // unconfirmed
	PartialCash          bool   `json:"partial_cash"`                // cash may go back in part
	AfterRefusedWrite    string `json:"after_refused_write"`         // RefundByHIS or RefundByCredential

	// Lifetimes, in minutes.
	AuthMinutes    int `json:"auth_minutes"`     // payAuthNo; 5 to 10 at WeChat, 120 in one region, unconfirmed
	PriceMinutes   int `json:"price_minutes"`    // answer of 6202; one hospital's own rule
	OrderMinutes   int `json:"order_minutes"`    // own expiry of an order that is not paid
	RefundWaitDays int `json:"refund_wait_days"` // how long a refund waits for the credential; own rule

	// Places.
	WechatCity   string            `json:"wechat_city_code"`  // WeChat's own list, never derived from an area code
	Areas        []string          `json:"areas"`             // insured areas that are taken; empty takes all
	AccountFlags map[string]string `json:"account_used_flag"` // acctUsedFlag of 6202 by insured area; "" is sent as nothing

	// The books (3201, 3202). Whether a mobile centre offers them, and how it carries
	// their files, is unconfirmed: without a path they are off, and people compare by
	// other means.
	Books Books `json:"books"`

	// 6302.
	NoticeForm  string `json:"notice_form"`  // NoticeSealed or NoticePlain
	NoticeReply string `json:"notice_reply"` // ReplySealed, ReplyJSON or ReplyEmpty; unconfirmed but for one region
}

// Paths are those of the transactions below the base address.
type Paths struct {
	Upload string `json:"6201"`
	Order  string `json:"6202"`
	Refund string `json:"6203"`
	Query  string `json:"6301"`
	Undo   string `json:"6401"`
	Totals string `json:"3201"` // empty: not offered
	Detail string `json:"3202"` // empty: differences of the totals have no detail; wants 9101 and 9102
	Put    string `json:"9101"`
	Get    string `json:"9102"`
}

// Books is how a region compares its books with the hospital's.
type Books struct {
	ClearType   string `json:"clr_type"`       // 清算类别 where the settlement tells none; 11 is outpatient
	ClearOptins string `json:"clr_optins"`     // 清算经办机构 where the settlement tells none; empty: the insured area
	WithRefunds string `json:"refd_setl_flag"` // 1: the totals are less what went back; 0: they are not
	Separator   string `json:"separator"`      // between the cells of the detail file
	Null        string `json:"null"`           // what an empty cell holds; two habits are known
}

// Refusal is what a listed code of the centre means.
type Refusal struct {
	Who   flow.Actor `json:"who"`
	Words string     `json:"words"`
	Hold  bool       `json:"hold"`
}

// The values of a region's settings that are words.
const (
	UserSecret  = "app_secret"
	UserDefault = "default"

	StampSeconds = "seconds" // yyyyMMddHHmmss
	StampMillis  = "millis"

	CashFirst      = "cash_first"
	InsuranceFirst = "insurance_first"

	RefundFilled = "filled" // ALL: every part is told
	RefundBare   = "bare"   // ALL: the insurance parts are left out

	RefundByHIS        = "his"        // HIS reverses without authorisation
	RefundByCredential = "credential" // 6203, for which the patient authorises again

	NoticeSealed = "sealed"
	NoticePlain  = "plain"

	ReplySealed = "sealed"
	ReplyJSON   = "json"
	ReplyEmpty  = "empty"
)

// defaultUserID is the id that the SM2 standard gives where none is agreed.
const defaultUserID = "1234567812345678"

// userID is the id that goes into signatures.
func (r Region) userID(secret string) []byte {
	switch r.SM2UserID {
	case UserSecret:
		return []byte(secret)
	case UserDefault:
		return []byte(defaultUserID)
	}
	return []byte(r.SM2UserID)
}

func (r Region) answerAge() time.Duration { return time.Duration(r.AnswerAge) * time.Second }

func (r Region) noticeAge() time.Duration { return time.Duration(r.NoticeAge) * time.Second }

// ReadRegion reads a region as it is configured: the code of a shipped profile
// in "base", and whatever differs from it. Unknown names are refused.
func ReadRegion(raw []byte) (Region, error) {
	var head struct {
		Base string `json:"base"`
	}
	if len(bytes.TrimSpace(raw)) > 0 {
		if err := json.Unmarshal(raw, &head); err != nil {
			return Region{}, errors.New("地区设置不是有效的 JSON")
		}
	}
	if head.Base == "" {
		head.Base = National
	}
	r, ok := Profile(head.Base)
	if !ok {
		return Region{}, fmt.Errorf("没有名为 %s 的地区模板", head.Base)
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return r, nil
	}
	in := struct {
		Base string `json:"base"`
		*Region
	}{Region: &r}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return Region{}, fmt.Errorf("地区设置有误：%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return r, r.Check()
}

// Check finds what cannot be meant; the messages are for who configures.
func (r Region) Check() error {
	var wrong []string
	for name, is := range map[string]struct {
		value string
		known []string
	}{
		"stamp":               {r.Stamp, []string{StampSeconds, StampMillis}},
		"order":               {r.Order, []string{CashFirst, InsuranceFirst}},
		"refund_form":         {r.RefundForm, []string{RefundFilled, RefundBare}},
		"after_refused_write": {r.AfterRefusedWrite, []string{RefundByHIS, RefundByCredential}},
		"notice_form":         {r.NoticeForm, []string{NoticeSealed, NoticePlain}},
		"notice_reply":        {r.NoticeReply, []string{ReplySealed, ReplyJSON, ReplyEmpty}},
	} {
		if !slices.Contains(is.known, is.value) {
			wrong = append(wrong, name+" 应为 "+strings.Join(is.known, "、")+" 之一")
		}
	}
	for name, n := range map[string]int{"answer_age": r.AnswerAge, "notice_age": r.NoticeAge, "auth_minutes": r.AuthMinutes,
		"price_minutes": r.PriceMinutes, "order_minutes": r.OrderMinutes, "refund_wait_days": r.RefundWaitDays} {
		if n <= 0 {
			wrong = append(wrong, name+" 应大于 0")
		}
	}
	wrong = append(wrong, r.books()...)
	wrong = append(wrong, r.words()...)
	slices.Sort(wrong)
	if len(wrong) > 0 {
		return errors.New("地区设置有误：" + strings.Join(wrong, "；"))
	}
	return nil
}

// books finds what of the books cannot be meant.
func (r Region) books() (wrong []string) {
	for name, path := range map[string]string{"3201": r.Paths.Totals, "3202": r.Paths.Detail, "9101": r.Paths.Put, "9102": r.Paths.Get} {
		if path != "" && !goodPath(path) {
			wrong = append(wrong, "paths."+name+" 应是以 / 开头的路径")
		}
	}
	if files := r.Paths.Put != "" && r.Paths.Get != ""; r.Paths.Detail != "" && (r.Paths.Totals == "" || !files) {
		wrong = append(wrong, "paths.3202 需要 3201、9101 和 9102")
	}
	if b := r.Books; b.WithRefunds != "0" && b.WithRefunds != "1" || b.Separator == "" || b.ClearType == "" {
		wrong = append(wrong, "books 的 refd_setl_flag 应为 0 或 1，separator 和 clr_type 不能为空")
	}
	return wrong
}

func goodPath(path string) bool {
	u, err := url.Parse(path)
	return err == nil && strings.HasPrefix(path, "/") && u.Host == "" && u.RawQuery == "" && u.Fragment == ""
}

func (r Region) words() (wrong []string) {
	for name, path := range map[string]string{"6201": r.Paths.Upload, "6202": r.Paths.Order, "6203": r.Paths.Refund,
		"6301": r.Paths.Query, "6401": r.Paths.Undo} {
		if u, err := url.Parse(path); err != nil || !strings.HasPrefix(path, "/") || u.Host != "" || u.RawQuery != "" || u.Fragment != "" {
			wrong = append(wrong, "paths."+name+" 应为以 / 开头的路径")
		}
	}
	if r.Version == "" || r.SM2UserID == "" || len(r.SuccessCodes) == 0 {
		wrong = append(wrong, "version、sm2_user_id、success_codes 不能为空")
	}
	for code := range maps.Keys(r.Refusals) {
		if code == "" || slices.Contains(r.SuccessCodes, code) {
			wrong = append(wrong, "refusals 不能包含成功代码或空代码")
		}
	}
	return wrong
}
