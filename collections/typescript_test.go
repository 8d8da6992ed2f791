package collections_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"hospay/cmd"
	"hospay/collections"
	_ "hospay/pb_migrations"

	"github.com/pocketbase/pocketbase/core"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

const typesFile = "../web/shared/records.ts"

// TestRecordTypes_MatchTheCollections holds the pages' record types to the
// collections: they are written from the schema and compared with it.
func TestRecordTypes_MatchTheCollections(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir(), DBConnect: collections.Connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	if err := cmd.ThisProgram().Open(app); err != nil {
		t.Fatal(err)
	}
	want, err := typescript(app)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(typesFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(typesFile)
	if err != nil || string(have) != want {
		t.Errorf("%s differs from the collections (%v): run go test ./collections -run TestRecordTypes -update", typesFile, err)
	}
}

func typescript(app core.App) (string, error) {
	var b strings.Builder
	b.WriteString("// The records of hospay's collections as the API shows them. Written by\n// `go test ./collections -run TestRecordTypes " +
		"-update`, never by hand.\n")
	for _, name := range collections.All() {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "\nexport interface %s {\n  collectionName: '%s'\n", typeName(name), name)
		// By name: related fields stand in the order in which a map was walked.
		slices.SortFunc(c.Fields, func(a, b core.Field) int { return strings.Compare(a.GetName(), b.GetName()) })
		for _, f := range c.Fields {
			if !f.GetHidden() {
				fmt.Fprintf(&b, "  %s: %s\n", f.GetName(), typeOf(f))
			}
		}
		b.WriteString("}\n")
	}
	return b.String(), nil
}

// typeName is the collection's name in the singular: refund_orders → RefundOrder.
func typeName(collection string) string {
	var b strings.Builder
	for _, word := range strings.Split(collection, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	if s, ok := strings.CutSuffix(b.String(), "ies"); ok {
		return s + "y"
	}
	return strings.TrimSuffix(b.String(), "s")
}

func typeOf(f core.Field) string {
	switch f := f.(type) {
	case *core.NumberField:
		return "number"
	case *core.BoolField:
		return "boolean"
	case *core.JSONField:
		return "unknown"
	case *core.SelectField:
		union := "'" + strings.Join(f.Values, "' | '") + "'"
		if f.MaxSelect > 1 {
			return "(" + union + ")[]"
		}
		return union + " | ''"
	case *core.RelationField:
		if f.MaxSelect > 1 {
			return "string[]"
		}
	case *core.FileField:
		if f.MaxSelect > 1 {
			return "string[]"
		}
	}
	return "string"
}
