package house

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// given are words that were given up, with those that stand for them now: one thing
// has one name on pages, in files, in the terminal and in the manual.
var given = map[string]string{"未知" + "台": "结果待查", "挂账" + "台": "挂账处理", "读不" + "懂": "无法识别", "现在不能" + "用的": "暂不可用",
	"提出" + "月结": "申请月结", "医院已" + "登记退款": "已从就诊卡扣减", "无行为" + "能力人": "无民事行为能力人"}

// TestWords_OneThingHasOneName: the changelog alone speaks of what was.
func TestWords_OneThingHasOneName(t *testing.T) {
	n := said(t, func(path, body string) {
		for old, now := range given {
			if strings.Contains(body, old) {
				t.Errorf("%s says %s: it is %s now", path, old, now)
			}
		}
	})
	if n < 500 {
		t.Errorf("only %d files were read", n)
	}
}

// TestWords_TabsThatAreNamedExist: whoever is sent to a tab of the configuration finds it.
func TestWords_TabsThatAreNamedExist(t *testing.T) {
	page, err := os.ReadFile("../../web/staff/pages/Config.vue")
	if err != nil {
		t.Fatal(err)
	}
	var tabs []string
	for _, m := range regexp.MustCompile(`\['\w+', '([^']+)', \w+\]`).FindAllStringSubmatch(string(page), -1) {
		tabs = append(tabs, m[1])
	}
	if len(tabs) < 10 {
		t.Fatalf("the tabs are %q", tabs)
	}
	n := 0
	said(t, func(path, body string) {
		for _, m := range regexp.MustCompile(`系统配置`+` → ([\p{Han}A-Za-z]+)`).FindAllStringSubmatch(body, -1) {
			n++
			if !slices.ContainsFunc(tabs, func(tab string) bool { return strings.HasPrefix(m[1], tab) }) {
				t.Errorf("%s sends people to %s, which is none of %q", path, m[1], tabs)
			}
		}
	})
	if n < 20 {
		t.Errorf("only %d ways to a tab were found", n)
	}
}

// said reads what the tree says, but for the changelog, and counts the files.
func said(t *testing.T, look func(path, body string)) (n int) {
	t.Helper()
	read := regexp.MustCompile(`\.(go|vue|ts|mjs|js|json|md|html|yml)$`)
	files := tracked(t)
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
		look(path, string(body))
	}
	return n
}
