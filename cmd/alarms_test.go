package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hospay/deploy"
)

// TestAlarms_AHospitalHasItsOwnThresholds: its file takes the place of the shipped
// rules; a mistake in it is told, and the shipped ones hold meanwhile.
func TestAlarms_AHospitalHasItsOwnThresholds(t *testing.T) {
	shipped, err := alertRules(t.TempDir())
	if err != nil || len(shipped) < 10 {
		t.Fatalf("%d shipped rules: %v", len(shipped), err)
	}
	slower := strings.Replace(deploy.Alerts, "hospay_his_latency_seconds > 5", "hospay_his_latency_seconds > 12", 1)
	for name, c := range map[string]struct {
		text, told string
		rules      int
	}{
		"a threshold of its own": {slower, "", len(shipped)},
		"one rule only": {"      - alert: Slow\n        expr: hospay_his_latency_seconds > 9\n        for: 5m\n" +
			"        annotations: {summary: \"HIS 慢\", todo: \"信息科：联系 HIS 厂商\"}\n", "", 1},
		"an expression that is none": {strings.Replace(slower, "hospay_ready == 0", "hospay_ready ==", 1), "无法识别", len(shipped)},
		"a time that is none":        {strings.Replace(slower, "for: 3m", "for: 三分钟", 1), "无法识别", len(shipped)},
		"nobody who does what":       {strings.Replace(slower, `todo: "信息科：查看服务状态和日志"`, "", 1), "无法识别", len(shipped)},
		"a rule that asks nothing":   {"- alert: Nothing\n", "无法识别", len(shipped)},
		"an empty file":              {"", "没有规则", len(shipped)},
		"another file":               {"<html>404</html>", "没有规则", len(shipped)},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, alertFile), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		rules, err := alertRules(dir)
		if len(rules) != c.rules || (err != nil) != (c.told != "") || (err != nil && !strings.Contains(err.Error(), c.told)) {
			t.Errorf("%s: %d rules, %v", name, len(rules), err)
		}
		if c.told == "" && rules[len(rules)-1].Name == "" {
			t.Errorf("%s: a rule without a name", name)
		}
	}
}
