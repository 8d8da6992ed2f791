package refund

import (
	"fmt"
	"hospay/people"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/money"
)

// ReviewSettings configures the automatic review (自动审核) of an institution.
type ReviewSettings struct {
	Auto   bool // decisions are made by rules
	Shadow bool // rules are evaluated and stored, people decide
	Delay  time.Duration
	From   string // daily window HH:MM, Beijing; empty = all day
	To     string
	Rules  []Rule
	// SecondFrom is the amount from which an order needs a second review (复核),
	// 0 = none does; with SecondProxy every order by proxy does.
	SecondFrom  money.Fen
	SecondProxy bool
	// Reasons are those from which a reviewer picks when rejecting; empty = DefaultReasons.
	Reasons []string
}

// DefaultReasons are the reasons of an institution that has set none.
func DefaultReasons() []string {
	return []string{"收款人信息有误，请核对后重新申请", "有未结清的费用，请结清后再申请", "就诊卡信息与身份不一致，请到窗口办理", "证明材料不完整，请补充后重新申请"}
}

// RejectReasons are the reasons that a reviewer is offered.
func (s ReviewSettings) RejectReasons() []string {
	if len(s.Reasons) == 0 {
		return DefaultReasons()
	}
	return s.Reasons
}

// NeedsSecond reports whether an order is paid only after two people have
// approved it.
func (s ReviewSettings) NeedsSecond(o Order) bool {
	return (s.SecondFrom > 0 && o.Amount >= s.SecondFrom) || (s.SecondProxy && o.Proxy != "")
}

// Rule is one rule of the automatic review with its numbers.
type Rule struct {
	Name   RuleName  `json:"rule"`
	Limit  money.Fen `json:"limit,omitempty"` // fen
	Count  int       `json:"count,omitempty"`
	Days   int       `json:"days,omitempty"`
	Hours  int       `json:"hours,omitempty"`
	From   string    `json:"from,omitempty"` // HH:MM
	To     string    `json:"to,omitempty"`
	OnFail Outcome   `json:"on_fail"`
}

// RuleName names a rule.
type RuleName string

// The rules.
const (
	RuleMaxAmount   RuleName = "max_amount"    // 金额上限
	RuleNameEqual   RuleName = "name_equal"    // 收款人与就诊卡同名
	RuleCardAge     RuleName = "card_age"      // 就诊卡办理天数
	RuleOrdersToday RuleName = "orders_today"  // 本人当日申请数
	RuleSharedPayee RuleName = "shared_payee"  // 同一收款账户对应的卡数
	RuleTopUpSoon   RuleName = "top_up_recent" // 充值后很快退款
	RuleNightHours  RuleName = "night_hours"   // 夜间申请
	RuleProxy       RuleName = "proxy"         // 代办一律人工
	RuleSecond      RuleName = "second_review" // 需要复核的一律人工; not a setting
)

// Outcome is what a review comes to.
type Outcome string

// The outcomes. OutcomeManual leaves the order to people.
const (
	OutcomeApprove Outcome = "approve"
	OutcomeReject  Outcome = "reject"
	OutcomeManual  Outcome = "manual"
)

// Facts is what the rules look at.
type Facts struct {
	Amount      money.Fen
	CardName    string // with Proxy and a transfer, the name of whoever the institution pays
	PayeeName   string
	CardIssued  time.Time
	OrdersToday int // by this patient, this one included
	PayeeCards  int // cards that this payee account was used for, this one included
	LastTopUp   time.Time
	Applied     time.Time
	Proxy       bool
	Second      bool // needs a second review
}

// RuleVerdict is one rule's result, kept with the review.
type RuleVerdict struct {
	Rule   RuleName `json:"rule"`
	Pass   bool     `json:"pass"`
	OnFail Outcome  `json:"on_fail"`
	Detail string   `json:"detail"` // Chinese, no personal data
}

// DefaultRules are the rules of a new institution.
func DefaultRules() []Rule {
	return []Rule{
		{Name: RuleNameEqual, OnFail: OutcomeReject},
		{Name: RuleProxy, OnFail: OutcomeManual},
		{Name: RuleMaxAmount, Limit: 200_000, OnFail: OutcomeManual},
		{Name: RuleCardAge, Days: 7, OnFail: OutcomeManual},
		{Name: RuleOrdersToday, Count: 3, OnFail: OutcomeManual},
		{Name: RuleSharedPayee, Count: 2, OnFail: OutcomeManual},
		{Name: RuleTopUpSoon, Hours: 24, OnFail: OutcomeManual},
		{Name: RuleNightHours, From: "23:00", To: "06:00", OnFail: OutcomeManual},
	}
}

// Evaluate applies every rule and returns all verdicts. One failing reject
// rule rejects; otherwise one failing manual rule leaves it to people. Without
// any rule nothing is approved, and an order by proxy or one that needs a
// second review never is, whether or not the institution has the rule for it.
func Evaluate(rules []Rule, f Facts) (Outcome, []RuleVerdict) {
	if f.Proxy && !slices.ContainsFunc(rules, func(r Rule) bool { return r.Name == RuleProxy }) {
		rules = append(slices.Clone(rules), Rule{Name: RuleProxy, OnFail: OutcomeManual})
	}
	if f.Second {
		rules = append(slices.Clone(rules), Rule{Name: RuleSecond, OnFail: OutcomeManual})
	}
	out := OutcomeApprove
	if len(rules) == 0 {
		out = OutcomeManual
	}
	verdicts := make([]RuleVerdict, 0, len(rules))
	for _, r := range rules {
		pass, detail := r.check(f)
		onFail := r.OnFail
		if onFail != OutcomeReject || (r.Name == RuleNameEqual && f.CardName == "") {
			onFail = OutcomeManual // a name that is not known proves no difference
		}
		verdicts = append(verdicts, RuleVerdict{Rule: r.Name, Pass: pass, OnFail: onFail, Detail: detail})
		if !pass && out != OutcomeReject {
			out = onFail
		}
	}
	return out, verdicts
}

func (r Rule) check(f Facts) (bool, string) {
	switch r.Name {
	case RuleMaxAmount:
		return f.Amount <= r.Limit, fmt.Sprintf("金额 %s，上限 %s", f.Amount, r.Limit)
	case RuleNameEqual:
		return people.SameName(f.CardName, f.PayeeName), "收款人姓名与就诊卡姓名比对"
	case RuleCardAge:
		days := int(f.Applied.Sub(f.CardIssued).Hours() / 24)
		return !f.CardIssued.IsZero() && days >= r.Days, fmt.Sprintf("办卡 %d 天，至少 %d 天", max(days, 0), r.Days)
	case RuleOrdersToday:
		return f.OrdersToday <= r.Count, fmt.Sprintf("当日第 %d 笔，至多 %d 笔", f.OrdersToday, r.Count)
	case RuleSharedPayee:
		return f.PayeeCards <= r.Count, fmt.Sprintf("该收款账户用于 %d 张卡，至多 %d 张", f.PayeeCards, r.Count)
	case RuleTopUpSoon:
		soon := f.Applied.Sub(f.LastTopUp) < time.Duration(r.Hours)*time.Hour
		return f.LastTopUp.IsZero() || !soon, fmt.Sprintf("最近一次充值距申请须满 %d 小时", r.Hours)
	case RuleNightHours:
		return !calendar.InWindow(f.Applied, r.From, r.To), fmt.Sprintf("夜间时段 %s–%s", r.From, r.To)
	case RuleProxy:
		return !f.Proxy, "代办申请由人工审核"
	case RuleSecond:
		return !f.Second, "需要两人审核"
	}
	return false, "未知规则，转人工"
}

// Valid reports whether n is a rule that exists.
func (n RuleName) Valid() bool {
	for _, r := range DefaultRules() {
		if r.Name == n {
			return true
		}
	}
	return false
}
