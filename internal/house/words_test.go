package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// given are words that were given up, with those that stand for them now: one thing
// has one name on pages, in files, in the terminal and in the manual.
var given = map[string]string{"未知" + "台": "结果待查", "挂账" + "台": "挂账处理", "读不" + "懂": "无法识别", "现在不能" + "用的": "暂不可用",
	"提出" + "月结": "申请月结", "医院已" + "登记退款": "已从就诊卡扣减", "无行为" + "能力人": "无民事行为能力人"}

// TestWords_OneThingHasOneName: the changelog alone speaks of what was.
func TestWords_OneThingHasOneName(t *testing.T) {
	read := regexp.MustCompile(`\.(go|vue|ts|mjs|js|json|md|html|yml)$`)
	n, files := 0, tracked(t)
	if len(files) == 0 {
		t.Skip("an archive without its history")
	}
	for _, path := range files {
		if !read.MatchString(path) || filepath.Base(path) == "CHANGELOG.md" {
			continue
		}
		body, err := os.ReadFile(filepath.Join("../..", path))
		if os.IsNotExist(err) { // deleted, and not yet committed
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
		for old, now := range given {
			if strings.Contains(string(body), old) {
				t.Errorf("%s says %s: it is %s now", path, old, now)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d files were read", n)
	}
}
