package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hospay/collections"
	"hospay/lab/testapp"

	"github.com/pocketbase/pocketbase/core"
)

// long reports whether the proofs run in the form of the night.
func long() bool { return os.Getenv("HOSPAY_PROOF") == "night" }

// often is how often a proof is tried in the suite and at night.
func often(short, night int) int {
	if long() {
		return night
	}
	return short
}

// oracle asks questions whose answer could tell what a visitor may not see.
type oracle struct {
	*house
	t       *testing.T
	all     map[string]*twins
	hops    map[string][]hop
	names   []string
	visible map[string]map[string][]map[string]any // visitor → collection → rows
	ways    map[string]map[string][]way            // visitor → collection → how links lead there from what is shown
	marks   map[string][2]string                   // value → collection and field that hold it
	asked   atomic.Int64
}

// way is a chain of links from a collection whose rows a visitor is shown.
type way struct{ from, path string }

// listing is what a visitor is told.
type listing struct {
	status int
	ids    string
	raw    string
	rows   []map[string]any // each with its fields
}

func (o *oracle) ask(visitor, collection string, query ...string) listing {
	o.t.Helper()
	q := url.Values{"perPage": {"200"}}
	for i := 0; i < len(query); i += 2 {
		q.Set(query[i], query[i+1])
	}
	n := o.asked.Add(1)
	req := must(http.NewRequestWithContext(o.t.Context(), "GET", o.URL+"/api/collections/"+collection+"/records?"+q.Encode(), nil))
	req.Header.Set("Authorization", o.tokens[visitor])
	// Whoever finds nothing too often is kept waiting by PocketBase: each question
	// comes from an address of its own.
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255))
	res := must(http.DefaultClient.Do(req))
	defer res.Body.Close()
	raw := must(io.ReadAll(res.Body))
	var body struct {
		Items []map[string]any `json:"items"`
	}
	_ = json.Unmarshal(raw, &body)
	l := listing{status: res.StatusCode, raw: string(raw), rows: body.Items}
	for _, row := range body.Items {
		id, _ := row["id"].(string)
		l.ids += id + " "
	}
	return l
}

// tells reports whether the answers to two questions differ. A refusal says the
// same of every value.
func (o *oracle) tells(visitor, collection, param, one, other string) bool {
	a := o.ask(visitor, collection, param, one)
	if a.status >= 400 {
		return false
	}
	b := o.ask(visitor, collection, param, other)
	return a.status != b.status || a.ids != b.ids
}

// hidden reports whether a visitor cannot read a field of the first twin: in no
// row that is shown to them stands what it holds.
func (o *oracle) hidden(visitor string, c *twins, field string) bool {
	few := slices.Contains([]string{core.FieldTypeBool, core.FieldTypeSelect, core.FieldTypeJSON}, c.Fields.GetByName(field).Type())
	for _, row := range o.visible[visitor][c.Name] {
		if value, shown := row[field]; shown && (row["id"] == c.first || few || holds(value, c.is[field])) {
			return false
		}
	}
	return true
}

// holds reports whether a shown value is the one that a filter asks for.
func holds(shown any, spelt string) bool {
	text, _ := json.Marshal(shown)
	_, value, _ := strings.Cut(spelt, " ")
	value = strings.TrimSuffix(strings.Trim(value, `"`), "%")
	return strings.HasPrefix(strings.Trim(string(text), `["`), value)
}

func newOracle(t *testing.T) *oracle {
	h := newHouse(t, testapp.Config{Proxy: "127.0.0.1"})
	maps.Copy(h.tokens, h.secondInstitution(t))
	o := &oracle{house: h, t: t, all: plantTwins(t, h), visible: map[string]map[string][]map[string]any{}, ways: map[string]map[string][]way{},
		marks: map[string][2]string{}}
	o.hops = hopsOf(o.all)
	o.names = slices.Sorted(maps.Keys(o.all))
	for _, name := range o.names {
		for _, f := range o.all[name].Fields {
			o.marks[mark(name, f.GetName(), 0)] = [2]string{name, f.GetName()}
		}
	}
	for v := range h.tokens {
		o.visible[v], o.ways[v] = map[string][]map[string]any{}, map[string][]way{}
		for _, name := range o.names {
			l := o.ask(v, name)
			if len(l.rows) == 0 {
				continue
			}
			o.visible[v][name] = l.rows
			for _, one := range o.hops[name] {
				o.ways[v][one.to] = append(o.ways[v][one.to], way{name, one.path})
				for _, two := range o.hops[one.to] {
					o.ways[v][two.to] = append(o.ways[v][two.to], way{name, one.path + "." + two.path})
				}
			}
		}
	}
	return o
}

// near reports whether a visitor belongs to the institution whose rows are asked
// for.
func (o *oracle) near(v string) bool { return !strings.HasPrefix(v, "far ") }

// unfilterable are fields by which PocketBase filters for nobody.
var unfilterable = []string{"password"}

// TestOracle_NoAnswerDependsOnAHiddenField asks, for every collection, every field
// and every visitor, by filter, sort, fields, expand and along links, what would
// change the answer if it counted. It knows collections and fields from the
// running program. A superuser is asked the same, so that each question is one
// whose answer depends on the field.
func TestOracle_NoAnswerDependsOnAHiddenField(t *testing.T) {
	o := newOracle(t)
	for _, c := range must(o.Runtime.App.FindAllCollections(core.CollectionTypeAuth)) {
		if !slices.Contains([]string{collections.Patients, collections.Staff, core.CollectionNameSuperusers}, c.Name) {
			t.Errorf("accounts of %s have no visitor here: log one in in newHouse, and add it to visitors", c.Name)
		}
	}
	for _, name := range o.names {
		c := o.all[name]
		for field, is := range c.is {
			if !slices.Contains(unfilterable, field) && !o.tells("superuser", name, "filter", field+is, field+c.none[field]) {
				t.Errorf("%s.%s: the filter %q changes nothing even for a superuser: plantTwins must lay two values there", name, field, is)
			}
		}
	}
	o.asked.Store(0)
	visitors := slices.Sorted(maps.Keys(o.tokens))
	work := make(chan func())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for f := range work {
				f()
			}
		})
	}
	n := 0
	for _, v := range visitors {
		if v == "superuser" {
			continue
		}
		for _, name := range o.names {
			c := o.all[name]
			for _, field := range slices.Sorted(maps.Keys(c.is)) {
				n++
				if o.hidden(v, c, field) && (long() || n%3 == 0 || o.near(v) || len(o.visible[v][name]) > 0) {
					work <- func() { o.probe(v, c, field, n) }
				}
			}
			if len(o.visible[v][name]) > 0 {
				work <- func() { o.expands(v, name) }
			}
		}
	}
	close(work)
	all.Wait()
	t.Logf("%d questions", o.asked.Load())
	if o.asked.Load() < 8000 {
		t.Errorf("only %d questions were asked", o.asked.Load())
	}
}

// probe asks for a field that a visitor does not see. In the suite a field that is
// hidden in rows they do see is asked for in every way of its own collection, and
// each other in one way, by turns; at night each in all.
func (o *oracle) probe(v string, c *twins, field string, n int) {
	is, none, hiddenField := c.is[field], c.none[field], c.Fields.GetByName(field).GetHidden()
	leak := func(how, where string) {
		o.t.Errorf("%s learns %s.%s by %s at %s. Hide the field (Hidden: true), or narrow the list rule in collections/rules.go", v, c.Name,
			field, how, where)
	}
	filter := func(from, path, form, op string) func() {
		return func() {
			if o.tells(v, from, "filter", path+field+form+op+is, path+field+form+op+none) {
				leak("filter "+path+field+form, from)
			}
		}
	}
	sort := func(from, path string) func() {
		return func() {
			if (path == "" || hiddenField) && !o.shows(v, c, field) && o.tells(v, from, "sort", path+field, "-"+path+field) {
				leak("sort "+path+field, from)
			}
		}
	}
	own := []func(){filter(c.Name, "", "", ""), sort(c.Name, ""), filter(c.Name, "", ":lower", ""), filter(c.Name, "", ":isset", ""),
		filter(c.Name, "", ":each", ""), filter(c.Name, "", ":length", ""), filter(c.Name, "@collection."+c.Name+".", "", "?"), func() {
			for _, row := range o.ask(v, c.Name, "fields", "*,"+field).rows {
				if _, shown := row[field]; shown && row["id"] == c.first {
					leak("fields", c.Name)
				}
			}
		}}
	if ways := o.ways[v][c.Name]; long() {
		for _, w := range ways {
			own = append(own, filter(w.from, w.path+".", "", "?"), sort(w.from, w.path+"."))
		}
	} else if len(ways) > 0 {
		w := ways[n*31%len(ways)]
		own = append(own, filter(w.from, w.path+".", "", "?"), sort(w.from, w.path+"."))
	}
	if field == "id" { // along a link that is what the link itself tells
		own = own[:8]
	}
	for i, ask := range own {
		if long() || n%len(own) == i || hiddenField && len(o.visible[v][c.Name]) > 0 {
			ask()
		}
	}
}

// shows reports whether rows of a collection are shown with the field.
func (o *oracle) shows(v string, c *twins, field string) bool {
	for _, row := range o.visible[v][c.Name] {
		if _, ok := row[field]; ok {
			return true
		}
	}
	return false
}

var marks = regexp.MustCompile(`qz[0-9a-f]{8}qz0`)

// expands asks for everything that links lead to: no value that a visitor may not
// see comes along.
func (o *oracle) expands(v, name string) {
	var paths []string
	for _, h := range o.hops[name] {
		paths = append(paths, h.path)
		for i, next := range o.hops[h.to] {
			if long() || i%6 == len(v)%6 {
				paths = append(paths, h.path+"."+next.path)
			}
		}
	}
	for part := range slices.Chunk(paths, 20) {
		for _, found := range marks.FindAllString(o.ask(v, name, "expand", strings.Join(part, ",")).raw, -1) {
			if of := o.marks[found]; of[0] != "" && o.hidden(v, o.all[of[0]], of[1]) {
				o.t.Errorf("%s is told %s.%s by expand of %s", v, of[0], of[1], name)
			}
		}
	}
}
