package refund

import (
	"strings"
	"testing"
	"time"

	"hospay/money"
)

func TestReviewSettings_Check(t *testing.T) {
	one := func(r Rule) ReviewSettings { return ReviewSettings{Rules: []Rule{r}} }
	for name, c := range map[string]struct {
		s  ReviewSettings
		ok bool
	}{
		"默认规则":    {ReviewSettings{Rules: DefaultRules(), From: "08:00", To: "20:00", Delay: time.Hour}, true},
		"空":       {ReviewSettings{}, true},
		"未知规则":    {one(Rule{Name: "x", OnFail: OutcomeManual}), false},
		"失败时通过":   {one(Rule{Name: RuleNameEqual, OnFail: OutcomeApprove}), false},
		"没有失败结论":  {one(Rule{Name: RuleNameEqual}), false},
		"重复":      {ReviewSettings{Rules: []Rule{{Name: RuleProxy, OnFail: OutcomeManual}, {Name: RuleProxy, OnFail: OutcomeManual}}}, false},
		"上限为零":    {one(Rule{Name: RuleMaxAmount, OnFail: OutcomeManual}), false},
		"上限为负":    {one(Rule{Name: RuleMaxAmount, Limit: -1, OnFail: OutcomeManual}), false},
		"上限过大":    {one(Rule{Name: RuleMaxAmount, Limit: money.Max + 1, OnFail: OutcomeManual}), false},
		"天数为负":    {one(Rule{Name: RuleCardAge, Days: -1, OnFail: OutcomeManual}), false},
		"笔数为零":    {one(Rule{Name: RuleOrdersToday, OnFail: OutcomeManual}), false},
		"卡数为零":    {one(Rule{Name: RuleSharedPayee, OnFail: OutcomeManual}), false},
		"小时为零":    {one(Rule{Name: RuleTopUpSoon, OnFail: OutcomeManual}), false},
		"时刻不存在":   {one(Rule{Name: RuleNightHours, From: "24:00", To: "06:00", OnFail: OutcomeManual}), false},
		"时段为空":    {one(Rule{Name: RuleNightHours, From: "06:00", To: "06:00", OnFail: OutcomeManual}), false},
		"窗口不是时刻":  {ReviewSettings{From: "8点"}, false},
		"驳回原因":    {ReviewSettings{Reasons: DefaultReasons()}, true},
		"驳回原因空一条": {ReviewSettings{Reasons: []string{"请到窗口办理", ""}}, false},
		"驳回原因两次":  {ReviewSettings{Reasons: []string{"请到窗口办理", "请到窗口办理"}}, false},
		"驳回原因过长":  {ReviewSettings{Reasons: []string{strings.Repeat("长", 101)}}, false},
		"驳回原因换行":  {ReviewSettings{Reasons: []string{"请到\n窗口"}}, false},
		"驳回原因十条":  {ReviewSettings{Reasons: strings.Split("原因一 原因二 原因三 原因四 原因五 原因六 原因七 原因八 原因九 原因十", " ")}, false},
		"延迟过长":    {ReviewSettings{Delay: 8 * 24 * time.Hour}, false},
	} {
		if err := c.s.Check(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
