package refund

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hospay/money"
)

// clock is a time of day as windows and rules name it.
var clock = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// maxDelay bounds how long the automatic review may hold an order.
const maxDelay = 7 * 24 * time.Hour

// Check refuses settings of the review that would not mean anything, in
// Chinese for the person who configures.
func (s ReviewSettings) Check() error {
	if s.Delay < 0 || s.Delay > maxDelay {
		return fmt.Errorf("延迟应在 0 到 7 天之间")
	}
	if (s.From != "" && !clock.MatchString(s.From)) || (s.To != "" && !clock.MatchString(s.To)) {
		return fmt.Errorf("每日时段应写成 HH:MM，例如 08:00")
	}
	if err := checkReasons(s.Reasons); err != nil {
		return err
	}
	seen := map[RuleName]bool{}
	for _, r := range s.Rules {
		if seen[r.Name] {
			return fmt.Errorf("规则 %s 出现了两次", r.Name)
		}
		seen[r.Name] = true
		if err := r.Check(); err != nil {
			return err
		}
	}
	return nil
}

// maxReasons is one for each number key.
const maxReasons = 9

// checkReasons: patients read what a reviewer picks, and a key picks it.
func checkReasons(reasons []string) error {
	if len(reasons) > maxReasons {
		return fmt.Errorf("驳回原因最多 %d 条", maxReasons)
	}
	seen := map[string]bool{}
	for i, r := range reasons {
		switch n := utf8.RuneCountInString(r); {
		case r != strings.TrimSpace(r) || n < 2 || n > 100 || strings.ContainsFunc(r, unicode.IsControl):
			return fmt.Errorf("第 %d 条驳回原因应为 2 到 100 个字，单独一行", i+1)
		case seen[r]:
			return fmt.Errorf("驳回原因“%s”出现了两次", r)
		}
		seen[r] = true
	}
	return nil
}

// Check refuses a rule that is not known or whose numbers make no sense.
func (r Rule) Check() error {
	if !r.Name.Valid() {
		return fmt.Errorf("没有名为 %q 的规则", r.Name)
	}
	if r.OnFail != OutcomeReject && r.OnFail != OutcomeManual {
		return fmt.Errorf("规则 %s 的 on_fail 应为 reject 或 manual", r.Name)
	}
	in := func(n, lo, hi int) bool { return n >= lo && n <= hi }
	ok := true
	switch r.Name {
	case RuleMaxAmount:
		ok = r.Limit > 0 && r.Limit <= money.Max
	case RuleCardAge:
		ok = in(r.Days, 0, 36500)
	case RuleOrdersToday, RuleSharedPayee:
		ok = in(r.Count, 1, 1000)
	case RuleTopUpSoon:
		ok = in(r.Hours, 1, 24*365)
	case RuleNightHours:
		ok = clock.MatchString(r.From) && clock.MatchString(r.To) && r.From != r.To
	}
	if !ok {
		return fmt.Errorf("规则 %s 的数字不合理", r.Name)
	}
	return nil
}
