// Package house keeps the rules of the house: who may import whom, how long
// functions and files may be, and that every package says what it is for.
package house

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

const module = "hospay"

// allowed lists, for each package or tree, which packages of ours its non-test
// code may import. A name ending in /... stands for the tree below it.
var allowed = map[string][]string{
	"hospay":                    {"channels", "channels/...", "his", "his/...", "cmd", "pb_migrations"},
	"hospay/money":              {},
	"hospay/refund":             {"money", "internal/idno"},
	"hospay/channels":           {"money", "refund"},
	"hospay/channels/...":       {"channels", "money", "refund"},
	"hospay/his":                {"money", "refund"},
	"hospay/his/...":            {"his", "money", "refund"},
	"hospay/notify":             {"money", "refund"},
	"hospay/notify/...":         {"notify", "money", "refund"},
	"hospay/jobs":               {"money", "refund", "notify", "channels", "collections", "recon", "internal/checkup"},
	"hospay/collections":        {"money", "refund", "channels", "his", "notify", "internal/i18n", "internal/idno", "internal/totp", "internal/vault"},
	"hospay/evidence":           {},
	"hospay/exports":            {"money", "refund", "collections", "evidence", "report", "internal/i18n"},
	"hospay/hooks":              {"money", "refund", "channels", "collections", "exports", "recon", "settings", "internal/i18n", "internal/idno", "internal/photo", "internal/richtext", "internal/totp", "internal/vault", "internal/checkup"},
	"hospay/settings":           {"refund", "channels", "collections", "notify/sms", "internal/i18n", "internal/idno", "internal/richtext"},
	"hospay/internal/richtext":  {},
	"hospay/recon":              {"money", "refund", "collections", "reconcile", "reconcile/book", "report"},
	"hospay/reconcile":          {"money"},
	"hospay/reconcile/book":     {"money", "reconcile"},
	"hospay/report":             {"money", "reconcile"},
	"hospay/internal/checkup":   {"money", "refund", "channels"},
	"hospay/pb_migrations":      {"collections", "refund"},
	"hospay/pb_public":          {},
	"hospay/dashboard":          {},
	"hospay/cmd":                {"money", "refund", "channels", "his", "notify", "notify/...", "jobs", "hooks", "collections", "settings", "pb_public", "dashboard", "reconcile", "reconcile/...", "report", "recon", "exports", "internal/...", "sim/all"},
	"hospay/internal/totp":      {},
	"hospay/internal/vault":     {},
	"hospay/internal/testday":   {},
	"hospay/internal/i18n":      {},
	"hospay/internal/idno":      {},
	"hospay/internal/photo":     {},
	"hospay/internal/invariant": {},
	"hospay/internal/bookgen":   {},
	"hospay/internal/demo":      {"money", "refund", "collections", "internal/i18n"},
	"hospay/internal/bench":     {"collections", "internal/bookgen", "internal/demo"},
	"hospay/sim":                {},
	"hospay/sim/...":            {"sim", "sim/..."},
}

// helpers are packages that only tests import; they may import anything.
var helpers = []string{"hospay/internal/testapp", "hospay/internal/house", "hospay/e2e", "hospay/channels/channeltest", "hospay/his/histest"}

// forbidden names outside packages that must not be reached even indirectly.
var forbidden = map[string][]string{
	"hospay/money":     {"database/sql", "net/http"},
	"hospay/refund":    {"database/sql", "net/http", "github.com/pocketbase/pocketbase/core", "github.com/pocketbase/dbx"},
	"hospay/reconcile": {"database/sql", "net/http", "github.com/pocketbase/pocketbase/core", "github.com/pocketbase/dbx", "github.com/xuri/excelize/v2"},
	"hospay/sim/...":   {"github.com/wechatpay-apiv3/wechatpay-go/core", "github.com/smartwalle/alipay/v3", "github.com/go-pay/gopay"},
	"hospay/channels/": {"github.com/pocketbase/pocketbase/core"},
}

type pkg struct {
	ImportPath string
	Dir        string
	Doc        string
	Imports    []string
	Deps       []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,Imports,Deps", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func matches(pattern, path string) bool {
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return strings.HasPrefix(path, tree+"/")
	}
	return pattern == path
}

func isHelper(path string) bool {
	for _, h := range helpers {
		if h == path {
			return true
		}
	}
	return false
}

func rulesOf(path string) ([]string, bool) {
	if r, ok := allowed[path]; ok {
		return r, true
	}
	for pattern, r := range allowed {
		if matches(pattern, path) {
			return r, true
		}
	}
	return nil, false
}

func TestImports_FollowTheArrows(t *testing.T) {
	for _, p := range packages(t) {
		if isHelper(p.ImportPath) {
			continue
		}
		rules, known := rulesOf(p.ImportPath)
		if !known {
			t.Errorf("%s stands in no rule: say in this test what it may import", p.ImportPath)
			continue
		}
		for _, i := range p.Imports {
			if !strings.HasPrefix(i, module+"/") || i == p.ImportPath {
				continue
			}
			ok := false
			for _, r := range rules {
				ok = ok || matches(module+"/"+r, i)
			}
			if !ok || isHelper(i) {
				t.Errorf("%s must not import %s", p.ImportPath, i)
			}
		}
	}
}

func TestImports_ReachNothingForbidden(t *testing.T) {
	for _, p := range packages(t) {
		if isHelper(p.ImportPath) {
			continue
		}
		for pattern, names := range forbidden {
			if !matches(pattern, p.ImportPath) && !(strings.HasSuffix(pattern, "/") && strings.HasPrefix(p.ImportPath, pattern)) {
				continue
			}
			for _, d := range p.Deps {
				for _, n := range names {
					if d == n {
						t.Errorf("%s reaches %s", p.ImportPath, n)
					}
				}
			}
		}
	}
}

func TestPackages_SayWhatTheyAreFor(t *testing.T) {
	for _, p := range packages(t) {
		if strings.TrimSpace(p.Doc) == "" && p.ImportPath != "hospay/e2e" && p.ImportPath != "hospay/internal/house" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// TestBudget_FunctionsAndFiles holds the sizes of the design: no function over
// 80 lines but route tables and migrations, median at most 12, p90 at most 45,
// no file over 400 lines; exported names documented.
func TestBudget_FunctionsAndFiles(t *testing.T) {
	var lengths []int
	for _, path := range sources(t, false) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if n := set.Position(file.End()).Line; n > 400 {
			t.Errorf("%s has %d lines", path, n)
		}
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1
			lengths = append(lengths, n)
			if n > 80 && !strings.Contains(path, "pb_migrations") {
				t.Errorf("%s: %s has %d lines", path, fn.Name.Name, n)
			}
			if fn.Name.IsExported() && fn.Recv == nil && fn.Doc == nil {
				t.Errorf("%s: %s is not documented", path, fn.Name.Name)
			}
		}
	}
	sort.Ints(lengths)
	if median, p90 := lengths[len(lengths)/2], lengths[len(lengths)*9/10]; median > 12 || p90 > 45 {
		t.Errorf("functions: median %d lines, p90 %d", median, p90)
	}
}

// sources lists Go files, tests only when asked for.
func sources(t *testing.T, tests bool) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "node_modules" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") && (tests || !strings.HasSuffix(path, "_test.go")) {
			out = append(out, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
