package refund

import (
	"testing"
	"time"

	"hospay/calendar"
)

// goodFacts are those of an order that every default rule likes.
func goodFacts() Facts {
	return Facts{
		Amount: 10_000, CardName: "张三", PayeeName: "张三", CardIssued: noon.AddDate(-1, 0, 0), OrdersToday: 1, PayeeCards: 1,
		LastTopUp: noon.AddDate(0, 0, -10), Applied: noon,
	}
}

func at(clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", "2026-03-02 "+clock, calendar.Beijing)
	if err != nil {
		panic(err)
	}
	return t
}

func TestAutoReview_EveryRule(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Facts)
		want   Outcome
		rule   RuleName // the one that fails
	}{
		{"一切合规", func(*Facts) {}, OutcomeApprove, ""},
		{"收款人与卡不同名", func(f *Facts) { f.PayeeName = "李四" }, OutcomeReject, RuleNameEqual},
		{"卡的姓名没有取到，不自动驳回", func(f *Facts) { f.CardName = "" }, OutcomeManual, RuleNameEqual},
		{"代办", func(f *Facts) { f.Proxy = true }, OutcomeManual, RuleProxy},
		{"恰为金额上限", func(f *Facts) { f.Amount = 200_000 }, OutcomeApprove, ""},
		{"超金额上限一分", func(f *Facts) { f.Amount = 200_001 }, OutcomeManual, RuleMaxAmount},
		{"办卡差一小时满七天", func(f *Facts) { f.CardIssued = noon.Add(-7*24*time.Hour + time.Hour) }, OutcomeManual, RuleCardAge},
		{"办卡满七天", func(f *Facts) { f.CardIssued = noon.Add(-7 * 24 * time.Hour) }, OutcomeApprove, ""},
		{"办卡日期未知", func(f *Facts) { f.CardIssued = time.Time{} }, OutcomeManual, RuleCardAge},
		{"当日第三笔", func(f *Facts) { f.OrdersToday = 3 }, OutcomeApprove, ""},
		{"当日第四笔", func(f *Facts) { f.OrdersToday = 4 }, OutcomeManual, RuleOrdersToday},
		{"收款账户用于两张卡", func(f *Facts) { f.PayeeCards = 2 }, OutcomeApprove, ""},
		{"收款账户用于三张卡", func(f *Facts) { f.PayeeCards = 3 }, OutcomeManual, RuleSharedPayee},
		{"刚充值就退", func(f *Facts) { f.LastTopUp = noon.Add(-23 * time.Hour) }, OutcomeManual, RuleTopUpSoon},
		{"充值满一天", func(f *Facts) { f.LastTopUp = noon.Add(-24 * time.Hour) }, OutcomeApprove, ""},
		{"充值时间未知", func(f *Facts) { f.LastTopUp = time.Time{} }, OutcomeApprove, ""},
		{"夜间申请", func(f *Facts) { f.Applied = at("23:30") }, OutcomeManual, RuleNightHours},
		{"凌晨申请", func(f *Facts) { f.Applied = at("05:59") }, OutcomeManual, RuleNightHours},
		{"清晨六点申请", func(f *Facts) { f.Applied = at("06:00") }, OutcomeApprove, ""},
		{"不同名又超额，仍驳回", func(f *Facts) { f.Amount, f.PayeeName = 900_000, "李四" }, OutcomeReject, RuleNameEqual},
	} {
		f := goodFacts()
		c.change(&f)
		got, verdicts := Evaluate(DefaultRules(), f)
		if got != c.want || len(verdicts) != len(DefaultRules()) {
			t.Errorf("%s: %s with %d verdicts, want %s", c.name, got, len(verdicts), c.want)
		}
		failed := false
		for _, v := range verdicts {
			failed = failed || (v.Rule == c.rule && !v.Pass)
			if c.rule == "" && !v.Pass || v.Detail == "" {
				t.Errorf("%s: %+v", c.name, v)
			}
		}
		if c.rule != "" && !failed {
			t.Errorf("%s: %s did not fail: %+v", c.name, c.rule, verdicts)
		}
	}
}

func TestAutoReview_DoubtIsManual(t *testing.T) {
	if got, _ := Evaluate(nil, goodFacts()); got != OutcomeManual {
		t.Errorf("without rules: %s", got)
	}
	if got, _ := Evaluate([]Rule{{Name: "invented", OnFail: OutcomeReject}}, goodFacts()); got == OutcomeApprove {
		t.Errorf("an unknown rule approved")
	}
	if got, _ := Evaluate([]Rule{{Name: RuleMaxAmount, Limit: 1}}, goodFacts()); got != OutcomeManual {
		t.Errorf("a rule without an outcome: %s", got)
	}
	if got, _ := Evaluate([]Rule{{Name: RuleMaxAmount, Limit: 1, OnFail: OutcomeApprove}}, goodFacts()); got != OutcomeManual {
		t.Errorf("a failing rule approved: %s", got)
	}
}

func TestAutoReview_Window(t *testing.T) {
	for _, c := range []struct {
		name, now, from, to string
		in                  bool
		next                string // the first moment inside, when outside now
	}{
		{"全天", "03:00", "", "", true, ""},
		{"白天之内", "08:00", "08:00", "17:30", true, ""},
		{"白天结束", "17:30", "08:00", "17:30", false, "2026-03-03 08:00"},
		{"白天之前", "07:59", "08:00", "17:30", false, "2026-03-02 08:00"},
		{"跨午夜：前半", "23:59", "22:00", "06:00", true, ""},
		{"跨午夜：后半", "00:00", "22:00", "06:00", true, ""},
		{"跨午夜：之外", "06:00", "22:00", "06:00", false, "2026-03-02 22:00"},
		{"只有结束", "05:00", "", "06:00", true, ""},
		{"只有结束，已过", "06:00", "", "06:00", false, "2026-03-03 00:00"},
		{"只有开始，未到", "06:00", "08:00", "", false, "2026-03-02 08:00"},
		{"首尾相同即全天", "03:00", "08:00", "08:00", true, ""},
	} {
		now := at(c.now)
		if got := calendar.InWindow(now, c.from, c.to); got != c.in {
			t.Errorf("%s: in = %v", c.name, got)
		}
		got := calendar.NextWindow(now, c.from, c.to)
		if c.in && !got.Equal(now) {
			t.Errorf("%s: next %s", c.name, got)
		}
		if want := c.next; !c.in && got.Format("2006-01-02 15:04") != want {
			t.Errorf("%s: next %s, want %s", c.name, got.Format("2006-01-02 15:04"), want)
		}
	}
}
