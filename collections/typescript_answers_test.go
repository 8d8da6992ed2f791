package collections_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

const answersFile = "../web/shared/answers.ts"

// TestAnswerTypes_MatchTheRoutes holds the pages' types of answers to what the
// routes answer: they are written from the structs that doors hand to JSON. An
// answer that is no struct has no type, and is refused.
func TestAnswerTypes_MatchTheRoutes(t *testing.T) {
	g := &answers{t: t, done: map[string]*types.Named{}, text: map[string]string{}, records: map[string]bool{}}
	for _, door := range doors(t) {
		g.read(door)
	}
	want := g.file()
	if *update {
		if err := os.WriteFile(answersFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(answersFile)
	if err != nil || string(have) != want {
		t.Errorf("%s differs from the routes (%v): run go test ./collections -run TestAnswerTypes -update", answersFile, err)
	}
}

// door is a type-checked package of the inbound edge.
type door struct {
	set   *token.FileSet
	files []*ast.File
	info  *types.Info
}

// doors type-checks the packages of hooks from source, with the compiler's
// export data for what they import.
func doors(t *testing.T) (out []door) {
	t.Helper()
	list, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles", "hospay/hooks/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	type pkg struct {
		ImportPath, Export, Dir string
		GoFiles                 []string
	}
	exports, ours := map[string]string{}, []pkg{}
	for d := json.NewDecoder(bytes.NewReader(list)); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if exports[p.ImportPath] = p.Export; strings.HasPrefix(p.ImportPath, "hospay/hooks/") {
			ours = append(ours, p)
		}
	}
	set := token.NewFileSet()
	from := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, p := range ours {
		d := door{set: set, info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{},
			Uses: map[*ast.Ident]types.Object{}}}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			d.files = append(d.files, file)
		}
		if _, err := (&types.Config{Importer: from}).Check(p.ImportPath, set, d.files, d.info); err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

// answers writes the types of answers in TypeScript.
type answers struct {
	t       *testing.T
	done    map[string]*types.Named
	text    map[string]string
	records map[string]bool // types of records.ts that are needed
}

// read finds what a door answers: the second argument of JSON, the meta of a
// login, and what generic helpers are made for.
func (g *answers) read(d door) {
	for _, f := range d.files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, ok := call.Fun.(*ast.SelectorExpr)
			switch {
			case ok && name.Sel.Name == "JSON" && len(call.Args) == 2:
				g.answer(d.set.Position(call.Pos()), d.info.Types[call.Args[1]].Type)
			case ok && name.Sel.Name == "RecordAuthResponse" && !d.info.Types[call.Args[3]].IsNil():
				g.answer(d.set.Position(call.Pos()), d.info.Types[call.Args[3]].Type)
			}
			return true
		})
	}
	for name, made := range d.info.Instances {
		if !strings.HasPrefix(d.info.Uses[name].Pkg().Path(), "hospay/hooks/") {
			continue
		}
		for arg := range made.TypeArgs.Types() {
			if named, ok := arg.(*types.Named); ok && strings.HasPrefix(named.Obj().Pkg().Path(), "hospay/hooks/") {
				g.of(arg)
			}
		}
	}
}

func (g *answers) answer(at token.Position, t types.Type) {
	if strings.HasSuffix(t.String(), "core.Record") {
		return // records.ts
	}
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := t.(*types.Named)
	if ok {
		_, ok = named.Underlying().(*types.Struct)
	}
	if !ok {
		g.t.Errorf("%s: answers %s; an answer is a struct", at, t)
		return
	}
	g.of(t)
}

// known are types that JSON writes in a form of their own.
var known = map[string]string{
	"time.Time": "string", "encoding/json.RawMessage": "unknown", "encoding/json/jsontext.Value": "unknown", "hospay/money.Fen": "number",
	"hospay/flow.Code": "string",
	"github.com/pocketbase/pocketbase/tools/types.DateTime": "string", "github.com/pocketbase/pocketbase/tools/types.JSONRaw": "unknown",
}

// of is a type in TypeScript; structs and enumerations are written by the way.
func (g *answers) of(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		return g.named(t)
	case *types.Pointer:
		return g.of(t.Elem()) + " | null"
	case *types.Slice:
		return g.list(t.Elem())
	case *types.Array:
		return "[" + strings.TrimSuffix(strings.Repeat(g.of(t.Elem())+", ", int(t.Len())), ", ") + "]"
	case *types.Map:
		if _, ok := t.Elem().Underlying().(*types.Interface); ok {
			g.t.Errorf("%s is answered; an answer is a struct", t)
		}
		return "Record<string, " + g.of(t.Elem()) + ">"
	case *types.TypeParam:
		return t.Obj().Name()
	case *types.Basic:
		switch {
		case t.Info()&types.IsBoolean != 0:
			return "boolean"
		case t.Info()&types.IsNumeric != 0:
			return "number"
		}
		return "string"
	}
	g.t.Errorf("%s is answered, and means nothing in TypeScript", t)
	return "unknown"
}

func (g *answers) list(elem types.Type) string {
	if text := g.of(elem); !strings.Contains(text, " | ") {
		return text + "[]"
	}
	return "(" + g.of(elem) + ")[]"
}

func (g *answers) named(t *types.Named) string {
	path := t.Obj().Pkg().Path() + "." + t.Obj().Name()
	if text, ok := known[path]; ok {
		return text
	}
	switch t.Obj().Name() {
	case "JSONArray":
		return g.list(t.TypeArgs().At(0))
	case "Shown":
		return g.of(t.TypeArgs().At(0))
	}
	if _, ok := t.Underlying().(*types.Basic); ok {
		return g.enumeration(t)
	}
	origin, ok := t.Origin().Underlying().(*types.Struct)
	if !ok {
		return g.of(t.Underlying())
	}
	name := g.declare(t.Origin(), func(name string) string { return g.structure(name+params(t.Origin()), origin) })
	if t.TypeArgs().Len() == 0 {
		return name
	}
	var args []string
	for arg := range t.TypeArgs().Types() {
		args = append(args, g.of(arg))
	}
	return name + "<" + strings.Join(args, ", ") + ">"
}

// declare writes a type once, and refuses a second one of its name.
func (g *answers) declare(t *types.Named, write func(name string) string) string {
	r, n := utf8.DecodeRuneInString(t.Obj().Name())
	name := string(unicode.ToUpper(r)) + t.Obj().Name()[n:]
	if have, ok := g.done[name]; ok {
		if have.Obj().Pkg().Path() != t.Obj().Pkg().Path() || have.Obj().Name() != t.Obj().Name() {
			g.t.Errorf("%s and %s would both be %s", have, t, name)
		}
		return name
	}
	g.done[name] = t
	g.text[name] = write(name)
	return name
}

func params(t *types.Named) string {
	var names []string
	for p := range t.TypeParams().TypeParams() {
		names = append(names, p.Obj().Name())
	}
	if names == nil {
		return ""
	}
	return "<" + strings.Join(names, ", ") + ">"
}

// enumeration is the union of a type's constants, or what it is made of where
// it has none.
func (g *answers) enumeration(t *types.Named) string {
	var values []string
	scope := t.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && types.Identical(c.Type(), t) {
			values = append(values, "\n  | '"+strings.Trim(c.Val().String(), `"`)+"'")
		}
	}
	if len(values) < 2 {
		return g.of(t.Underlying())
	}
	slices.Sort(values)
	return g.declare(t, func(name string) string { return "export type " + name + " =" + strings.Join(values, "") + "\n" })
}

// structure is a struct as an interface. What is embedded is extended, or, by
// pointer, may be there; a blank field names the record that is extended.
func (g *answers) structure(name string, s *types.Struct) string {
	var base, own []string
	record := ""
	for i := range s.NumFields() {
		f, tag := s.Field(i), reflect.StructTag(s.Tag(i))
		key, options, _ := strings.Cut(tag.Get("json"), ",")
		switch {
		case f.Name() == "_" && tag.Get("record") != "":
			record = typeName(tag.Get("record"))
		case key == "-", !f.Exported() && !f.Embedded():
		case f.Embedded() && key == "":
			if p, ok := f.Type().(*types.Pointer); ok {
				own = append(own, g.optional(p.Elem())...)
			} else {
				base = append(base, g.of(f.Type()))
			}
		default:
			own = append(own, g.field(cmp.Or(key, f.Name()), f.Type(), strings.Contains(options, "omit")))
		}
	}
	if record != "" {
		g.records[record] = true
		var keys []string
		for _, o := range own {
			key, _, _ := strings.Cut(o, ":")
			keys = append(keys, "'"+strings.TrimSuffix(key, "?")+"'")
		}
		base = append(base, "Omit<"+record+", "+strings.Join(keys, " | ")+">")
	}
	head := "export interface " + name
	if base != nil {
		head += " extends " + strings.Join(base, ", ")
	}
	return head + " {\n  " + strings.Join(own, "\n  ") + "\n}\n"
}

func (g *answers) field(key string, t types.Type, may bool) string {
	if !may {
		return key + ": " + g.of(t)
	}
	return key + "?: " + strings.TrimSuffix(g.of(t), " | null")
}

func (g *answers) optional(t types.Type) (out []string) {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		g.t.Errorf("%s is embedded", t)
		return nil
	}
	for i := range s.NumFields() {
		key, _, _ := strings.Cut(reflect.StructTag(s.Tag(i)).Get("json"), ",")
		out = append(out, g.field(key, s.Field(i).Type(), true))
	}
	return out
}

func (g *answers) file() string {
	var b strings.Builder
	b.WriteString(
		"// What hospay's own routes answer. Amounts are fen. Written by\n// `go test ./collections -run TestAnswerTypes -update`, " +
			"never by hand.\n")
	if len(g.records) > 0 {
		fmt.Fprintf(&b, "import type { %s } from './records'\n", strings.Join(slices.Sorted(maps.Keys(g.records)), ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(g.text)) {
		b.WriteString("\n" + g.text[name])
	}
	return b.String()
}
