package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// speakers are the files in which `config check` and `ready` find their words, and
// which functions of them; none named: all.
var speakers = map[string][]string{
	"cmd/check.go":                     {"checkConfig", "reportAddresses", "reportTests", "reportNotices", "reportCentre", "reportChannel"},
	"cmd/edge.go":                      {"servable", "private", "refuseSimulators", "known"},
	"cmd/vault.go":                     {"openVault"},
	"hooks/it/ready.go":                nil,
	"hooks/it/overview.go":             {"silent"},
	"jobs/health.go":                   nil,
	"internal/checkup/checkup.go":      {"Ping", "Channel", "words"},
	"internal/checkup/centre.go":       nil,
	"internal/checkup/certificates.go": nil,
	"store/notice_texts.go":            {"NoticeFaults", "reach"},
	"store/payments_directory.go":      {"Words"},
	"store/connections.go":             nil,
	"collections/guards.go":            nil,
	"cmd/alone.go":                     nil,
	"cmd/backup.go":                    {"keeper"},
}

var verb = regexp.MustCompile(`%[-+#0-9.]*[a-z]`)

// TestTrouble_EveryMessageHasItsParagraph: whatever `config check` and `ready` can
// say stands in 故障处理, with what to do. Pieces of a message are looked for, since
// names and numbers come between them.
func TestTrouble_EveryMessageHasItsParagraph(t *testing.T) {
	page := squashed(read(t, "docs/zh/故障处理.md"))
	for path, names := range speakers {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join("../..", path), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || len(names) > 0 && !slices.Contains(names, fn.Name.Name) {
				continue
			}
			found++
			ast.Inspect(fn, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				for _, piece := range verb.Split(text, -1) {
					if piece = squashed(piece); han(piece) >= 4 && !strings.Contains(page, piece) {
						t.Errorf("%s: 故障处理 has no paragraph for %q", set.Position(lit.Pos()), piece)
					}
				}
				return true
			})
		}
		if len(names) > found {
			t.Errorf("%s: a function that is named here is not there", path)
		}
	}
}

func squashed(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("`*：:；;（）()，,。", r) {
			return -1
		}
		return r
	}, s)
}

func han(s string) (n int) {
	for _, r := range s {
		if unicode.Is(unicode.Han, r) {
			n++
		}
	}
	return n
}
