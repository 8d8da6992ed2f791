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
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"unicode/utf8"
)

const module = "hospay"

// ground is what both domains, and all that serves them, stand on. Within it a
// package imports only those before it.
var ground = []string{"money", "calendar", "people", "flow"}

// allowed lists, for each package or tree, which packages of ours its non-test
// code may import beside the ground. A name ending in /... stands for the tree
// below it.
var allowed = map[string][]string{
	"hospay": {"channels", "channels/...", "his", "his/...", "cmd", "pb_migrations"},

	"hospay/refund":  {"internal/idno"},
	"hospay/payment": {"internal/idno"},

	"hospay/centre":       {"payment", "internal/foreign", "internal/sm4ecb", "internal/wire"},
	"hospay/channels":     {"refund", "payment", "internal/foreign", "internal/wire"},
	"hospay/channels/...": {"channels", "refund", "payment", "internal/foreign", "internal/wire"},
	"hospay/his":          {"refund", "payment", "internal/foreign", "internal/wire"},
	"hospay/his/...":      {"his", "refund", "payment"},
	"hospay/notify":       {"refund"},
	"hospay/notify/...":   {"notify", "refund", "internal/wire"},

	"hospay/reconcile":       {},
	"hospay/reconcile/files": {"reconcile", "internal/foreign"},
	"hospay/books": {"refund", "payment", "collections", "store", "channels", "reconcile", "reconcile/files", "report",
		"internal/foreign"},
	"hospay/report":           {"reconcile"},
	"hospay/internal/voucher": {},
	"hospay/exports":          {"refund", "collections", "store", "report", "internal/i18n", "internal/voucher"},

	"hospay/collections":      {"refund", "payment", "internal/prepared", "internal/cluster"},
	"hospay/internal/cluster": {"internal/prepared", "internal/front"},
	"hospay/backup":           {"collections", "internal/vault", "internal/cluster"},
	"hospay/store": {"refund", "payment", "collections", "channels", "his", "centre", "notify", "internal/i18n", "internal/idno",
		"internal/totp", "internal/vault", "internal/voucher"},
	"hospay/config": {"refund", "channels", "centre", "collections", "store", "notify",
		"notify/sms", "notify/robot", "internal/foreign", "internal/i18n", "internal/voucher",
		"internal/idno", "internal/richtext", "internal/wire"},
	"hospay/hooks":      {"hooks/..."},
	"hospay/hooks/gate": {"hooks/kit", "refund", "collections", "internal/photo"},
	"hospay/hooks/kit":  {"refund", "collections", "store", "internal/i18n"},
	"hospay/hooks/patient": {"hooks/kit", "refund", "channels", "collections", "store", "internal/i18n", "internal/idno", "internal/photo",
		"internal/richtext",
		"internal/vault"},
	"hospay/hooks/staff": {"hooks/kit", "refund", "collections", "store", "exports", "config", "internal/i18n", "internal/idno",
		"internal/totp",
		"internal/checkup"},
	"hospay/hooks/finance": {"hooks/kit", "refund", "collections", "books", "reconcile/files"},
	"hospay/hooks/it": {"hooks/kit", "refund", "collections", "store", "config", "notify/trail", "internal/richtext",
		"internal/vault", "internal/checkup", "internal/metrics", "internal/alerts", "internal/idno"},
	"hospay/hooks/inbound":  {"hooks/kit", "channels"},
	"hospay/hooks/his":      {"hooks/kit", "payment", "store", "internal/signed"},
	"hospay/hooks/payments": {"hooks/kit", "refund", "payment", "collections", "store", "internal/i18n", "internal/vault"},
	"hospay/jobs":           {"notify", "notify/...", "store", "books", "internal/checkup", "internal/alerts"},
	"hospay/cmd": {"refund", "payment", "centre", "channels", "his",
		"his/samples", "notify", "notify/...", "jobs", "hooks", "hooks/...", "collections",
		"store", "config", "pb_public", "dashboard", "deploy",
		"reconcile", "reconcile/...", "report", "backup", "books", "exports", "lab/...", "internal/...", "sim/all"},

	"hospay/internal/signed":  {"internal/sm4ecb"},
	"hospay/internal/checkup": {"refund", "payment", "channels", "centre", "internal/wire"},
	"hospay/internal/metrics": {},
	"hospay/internal/alerts":  {},
	"hospay/lab/bookgen":      {},
	"hospay/lab/demo":         {"his/samples", "refund", "payment", "collections", "store", "internal/i18n", "internal/idno"},
	"hospay/lab/bench":        {"collections", "store", "lab/bookgen", "lab/demo"},
	"hospay/lab/planted":      {},
	"hospay/lab/paper":        {},
	"hospay/lab/dist":         {"deploy"},
}

// alone lists packages that import nothing of ours, and trees that import only
// themselves.
var alone = []string{"hospay/pb_migrations", "hospay/pb_public", "hospay/dashboard", "hospay/deploy",
	"hospay/his/samples", "hospay/internal/totp", "hospay/internal/vault",
	"hospay/internal/i18n",
	"hospay/internal/foreign", "hospay/internal/testday", "hospay/internal/idno", "hospay/internal/photo", "hospay/internal/richtext",
	"hospay/internal/wire", "hospay/internal/prepared", "hospay/internal/sm4ecb", "hospay/internal/front",
	"hospay/lab/invariant", "hospay/sim", "hospay/sim/..."}

// helpers are packages that only tests import; they may import anything.
var helpers = []string{"hospay/lab/testapp", "hospay/internal/house", "hospay/e2e", "hospay/channels/channeltest", "hospay/his/histest"}

// forbidden names outside packages that must not be reached even indirectly.
var forbidden = map[string][]string{
	"hospay/money":   {"database/sql", "net/http"},
	"hospay/flow":    {"database/sql", "net/http", "github.com/pocketbase/pocketbase/core", "github.com/pocketbase/dbx"},
	"hospay/centre":  {"database/sql", "github.com/pocketbase/pocketbase/core", "github.com/pocketbase/dbx", "hospay/refund"},
	"hospay/refund":  {"database/sql", "net/http", "github.com/pocketbase/pocketbase/core", "github.com/pocketbase/dbx", "hospay/payment"},
	"hospay/payment": {"database/sql", "net/http", "github.com/pocketbase/pocketbase/core", "github.com/pocketbase/dbx", "hospay/refund"},
	"hospay/reconcile": {"database/sql", "net/http", "github.com/pocketbase/pocketbase/core", "github.com/pocketbase/dbx",
		"github.com/xuri/excelize/v2"},
	"hospay/sim/...":   {"github.com/wechatpay-apiv3/wechatpay-go/core", "github.com/smartwalle/alipay/v3", "github.com/go-pay/gopay"},
	"hospay/channels/": {"github.com/pocketbase/pocketbase/core"},
}

type pkg struct {
	ImportPath string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,GoFiles,Imports,Deps", module+"/...").Output()
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
	for i, g := range ground {
		if path == module+"/"+g {
			return ground[:i], true
		}
	}
	for _, a := range alone {
		if tree, ok := strings.CutSuffix(a, "/..."); matches(a, path) {
			if ok {
				return []string{strings.TrimPrefix(tree, module+"/"), strings.TrimPrefix(a, module+"/")}, true
			}
			return nil, true
		}
	}
	if r, ok := allowed[path]; ok {
		return slices.Concat(ground, r), true
	}
	for pattern, r := range allowed {
		if matches(pattern, path) {
			return slices.Concat(ground, r), true
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

// TestEdge_IsMadeOfSmallDoors: no door of the edge imports another, and none
// outgrows fifteen files.
func TestEdge_IsMadeOfSmallDoors(t *testing.T) {
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.ImportPath, module+"/hooks/") {
			continue
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, module+"/hooks/") && i != module+"/hooks/kit" {
				t.Errorf("%s must not import %s", p.ImportPath, i)
			}
		}
		if len(p.GoFiles) > 15 {
			t.Errorf("%s has %d files", p.ImportPath, len(p.GoFiles))
		}
	}
}

// TestEdge_AnswersStructs: no route answers a map, whose shape nobody has
// written down. A test of collections writes the pages' types from the structs
// and refuses maps that hide in a variable; this one names the line.
func TestEdge_AnswersStructs(t *testing.T) {
	for _, path := range sources(t, false) {
		if !strings.HasPrefix(path, "../../hooks/") && !strings.HasPrefix(path, "../../config/read") &&
			!strings.HasPrefix(path, "../../config/preview") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				sel, ok := n.Fun.(*ast.SelectorExpr)
				if ok && sel.Sel.Name == "JSON" && len(n.Args) == 2 && isMap(n.Args[1]) {
					t.Errorf("%s answers a map", set.Position(n.Pos()))
				}
			case *ast.FuncType:
				if n.Results == nil {
					return true
				}
				for _, r := range n.Results.List {
					if anyMap(r.Type) {
						t.Errorf("%s returns a map of anything", set.Position(n.Pos()))
					}
				}
			}
			return true
		})
	}
}

func isMap(e ast.Expr) bool {
	lit, ok := e.(*ast.CompositeLit)
	return ok && anyMap(lit.Type)
}

func anyMap(e ast.Expr) bool {
	m, ok := e.(*ast.MapType)
	if !ok {
		return false
	}
	value, ok := m.Value.(*ast.Ident)
	return ok && value.Name == "any"
}

func TestPackages_SayWhatTheyAreFor(t *testing.T) {
	for _, p := range packages(t) {
		if strings.TrimSpace(p.Doc) == "" && p.ImportPath != "hospay/e2e" && p.ImportPath != "hospay/internal/house" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// TestBudget_LineWidths holds Go lines to 140 characters, in tests too: a budget
// of lines that is paid in width is not kept. The pages' 160 are held by
// web/scripts/budget.mjs.
func TestBudget_LineWidths(t *testing.T) {
	const width = 140
	for _, path := range sources(t, true) {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(body), "\n") {
			if n := utf8.RuneCountInString(line); n > width {
				t.Errorf("%s:%d has %d characters, %d are allowed", path, i+1, n, width)
			}
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
