package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// realTime lists who may look at the machine's clock, and what for. Everybody
// else goes by the clock that the program was given, so that a test can begin
// on any day.
var realTime = map[string]string{
	"cmd/mount.go":                 "gives the program its clock",
	"cmd/root.go":                  "gives the program its clock",
	"cmd/front.go":                 "makes certificates, which the machine's clock judges",
	"internal/front/front_test.go": "makes certificates, which the machine's clock judges",
	"e2e/edge_split_test.go":       "makes certificates, which the machine's clock judges",
	"cmd/reconcile.go":             "works on files alone, without a program",
	"cmd/cluster.go":               "makes certificates, which the machine's clock judges",
	"internal/cluster/":            "bounds how long other machines may take",
	"e2e/cluster_test.go":          "measures",
	"e2e/litestream_test.go":       "measures",
	"internal/testday/":            "is the clock of tests",
	"lab/bench/":                   "measures",
	"lab/planted/":                 "measures",
	"internal/checkup/checkup.go":  "measures how long the other side takes",
	"channels/alipay/":             "stamps and judges signatures",
	"channels/wechat/":             "stamps and judges signatures",
	"channels/channeltest/":        "plays the other side",
	"channels/outcome_test.go":     "plays the other side",
	"centre/centre.go":             "stamps and judges signatures",
	"centre/simulator_test.go":     "stamps and judges signatures",
	"his/his.go":                   "stamps requests",
	"his/histest/hostile.go":       "measures",
	"notify/sms/":                  "stamps requests",
	"store/materials.go":           "reads the times of files",
	"e2e/proxy_review_test.go":     "sets the times of files",
	"hooks/gate/body.go":           "bounds how long a photo may take to arrive",
	"hooks/gate/journal.go":        "measures how long a request takes",
	"flow/courtesy.go":             "bounds how long a step lets people go first",
	"flow/courtesy_test.go":        "measures",
	"notify/notify_test.go":        "measures",
	"hooks/patient/ticket.go":      "judges tickets of the portal",
	"hooks/his/hooks.go":           "judges signatures of the HIS",
	"sim/":                         "is the other side",
	"e2e/callback_test.go":         "plays the other side",
	"e2e/login_test.go":            "plays the portal",
	"e2e/his_door_test.go":         "plays the HIS",
	"reconcile/files/day_test.go":  "measures",
}

// TestClock_IsTheOneThatWasGiven: time.Now, time.Since and time.Until are left
// to those who have a reason.
func TestClock_IsTheOneThatWasGiven(t *testing.T) {
	used := map[string]bool{}
	for _, path := range goFiles(t) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join("../..", path), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok || pkg.Name != "time" || sel.Sel.Name != "Now" && sel.Sel.Name != "Since" && sel.Sel.Name != "Until" {
				return true
			}
			// What a simulated world holds is as old as the test's day says.
			aged := strings.HasPrefix(path, "sim/") && strings.HasSuffix(path, "_test.go") && sel.Sel.Name != "Now"
			for who := range realTime {
				if aged {
					break
				}
				if path == who || strings.HasSuffix(who, "/") && strings.HasPrefix(path, who) {
					used[who] = true
					return true
				}
			}
			t.Errorf("%s: time.%s: take the clock that the program was given", set.Position(sel.Pos()), sel.Sel.Name)
			return true
		})
	}
	for who, why := range realTime {
		if !used[who] {
			t.Errorf("%s (%s) does not look at real time any more: take it out of the list", who, why)
		}
	}
}

// maxTracked is how large a file in the repository may be.
const maxTracked = 1 << 20

// TestTree_HoldsNoLargeFiles: programs, data and pictures of the screen in full
// size do not belong into the repository.
// TestClock_MonthsAreThoseOfBeijing: a month later is another day in UTC, and of a day
// that the month does not have it is the month after. calendar.AddMonths knows both;
// first is the first of a month, birth a date of birth.
func TestClock_MonthsAreThoseOfBeijing(t *testing.T) {
	for _, path := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "sim/") || strings.HasPrefix(path, "lab/") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join("../..", path), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 3 {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "AddDate" || isZero(call.Args[0]) && isZero(call.Args[1]) {
				return true
			}
			if of, ok := sel.X.(*ast.Ident); !ok || of.Name != "first" && of.Name != "birth" {
				t.Errorf("%s adds months to a moment: calendar.AddMonths", set.Position(n.Pos()))
			}
			return true
		})
	}
}

func isZero(e ast.Expr) bool {
	lit, ok := e.(*ast.BasicLit)
	return ok && lit.Value == "0"
}

func TestTree_HoldsNoLargeFiles(t *testing.T) {
	for _, path := range tracked(t) {
		info, err := os.Lstat(filepath.Join("../..", path))
		if err == nil && info.Size() > maxTracked {
			t.Errorf("%s has %d bytes", path, info.Size())
		}
	}
}

// tracked lists the files that belong to the repository; an archive without its
// history has none.
func tracked(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "-C", "../..", "ls-files", "-z").Output()
	if err != nil {
		t.Logf("git: %v", err)
		return nil
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
}

// goFiles lists all Go files, tests included, from the root of the tree.
func goFiles(t *testing.T) (out []string) {
	t.Helper()
	for _, path := range sources(t, true) {
		rel, err := filepath.Rel("../..", path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, filepath.ToSlash(rel))
	}
	return out
}
