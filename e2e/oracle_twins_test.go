package e2e

import (
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"

	"hospay/collections"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// twins are two rows of a collection that differ in what a visitor may not see.
// values are what the first holds, as a filter spells them; none are spellings
// that no row holds.
type twins struct {
	*core.Collection
	first, second string
	is            map[string]string // field → = "value"
	none          map[string]string // field → = "a value that nobody has"
}

// mark is a value that occurs nowhere else: of a field, for the first row, the
// second, or none.
func mark(collection, field string, n int) string {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s.%s.%d", collection, field, n)
	return fmt.Sprintf("qz%08xqz%d", h.Sum32(), n)
}

// marked is a value of a field's type; false where its values cannot be chosen.
func marked(collection string, f core.Field, n int) (string, bool) {
	number := fmt.Sprint(7_100_000 + len(collection)*1000 + len(f.GetName())*10 + n)
	switch f.Type() {
	case core.FieldTypeText, core.FieldTypeEditor, core.FieldTypeEmail, core.FieldTypeURL, core.FieldTypeFile:
		return mark(collection, f.GetName(), n), true
	case core.FieldTypeJSON:
		return `"` + mark(collection, f.GetName(), n) + `"`, true
	case core.FieldTypeNumber:
		return number, true
	case core.FieldTypeBool:
		return map[bool]string{true: "1", false: "0"}[n == 0], true
	case core.FieldTypeDate, core.FieldTypeAutodate:
		return fmt.Sprintf("20%d-03-04 05:06:07.000Z", 71+n), true
	}
	return "", false
}

// spelt is how a filter asks for a value of a field.
func spelt(f core.Field, value string) string {
	switch f.Type() {
	case core.FieldTypeNumber:
		return "= " + value
	case core.FieldTypeBool:
		return "= " + map[string]string{"1": "true", "0": "false"}[value]
	}
	value = strings.Trim(value, `"`)
	if i := strings.IndexAny(value, "\n\"%_"); len(value) > 100 || i >= 0 {
		if i >= 0 {
			value = value[:i]
		}
		short := []rune(value)
		return `~ "` + string(short[:min(len(short), 30)]) + `%"`
	}
	return `= "` + value + `"`
}

// untouched are fields that hold a visitor's own login, or what a rule reads.
var untouched = []string{"id", "password", "tokenKey", "email", "emailVisibility", "verified", "active", "institution"}

// plantTwins takes the guards away and lays two rows into every collection.
func plantTwins(t *testing.T, h *house) map[string]*twins {
	t.Helper()
	db := h.Runtime.App.NonconcurrentDB()
	var triggers []string
	if err := db.NewQuery("SELECT name FROM sqlite_master WHERE type = 'trigger'").Column(&triggers); err != nil {
		t.Fatal(err)
	}
	for _, name := range triggers {
		if _, err := db.NewQuery("DROP TRIGGER " + name).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	out := map[string]*twins{}
	for _, c := range must(h.Runtime.App.FindAllCollections()) {
		out[c.Name] = h.twinsOf(t, c)
	}
	return out
}

func (h *house) twinsOf(t *testing.T, c *core.Collection) *twins {
	t.Helper()
	db := h.Runtime.App.NonconcurrentDB()
	row := dbx.NullStringMap{}
	err := db.NewQuery("SELECT * FROM `" + c.Name + "` ORDER BY id = {:id} DESC LIMIT 1").Bind(dbx.Params{"id": h.rows[c.Name]}).One(row)
	if errors.Is(err, sql.ErrNoRows) {
		row = h.newRow(c)
	} else if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	tw := &twins{Collection: c, is: map[string]string{}, none: map[string]string{}}
	// A session that visitors use, or what keeps an account out, stays as it is.
	fresh := err != nil || slices.Contains([]string{collections.Sessions, collections.StaffSecurity}, c.Name)
	first, second := dbx.Params{}, dbx.Params{}
	for k, v := range row {
		first[k], second[k] = v.String, v.String
		if !v.Valid {
			first[k], second[k] = nil, nil
		}
	}
	for _, f := range c.Fields {
		name := f.GetName()
		empty := slices.Contains([]any{"", "0", "false", nil, "null", "{}", "[]"}, first[name])
		if v, ok := marked(c.Name, f, 0); ok && !slices.Contains(untouched, name) && (f.GetHidden() || empty && f.Type() != core.FieldTypeBool) {
			first[name] = v
			second[name], _ = marked(c.Name, f, 1)
		}
	}
	tw.first, _ = first["id"].(string)
	if fresh {
		tw.first = h.insertApart(t, c.Name, first, "twin00000000001")
	} else if _, err := db.Update(c.Name, first, dbx.HashExp{"id": tw.first}).Execute(); err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	tw.second = h.insertApart(t, c.Name, second, "twin00000000002")
	for _, f := range c.Fields {
		if value, _ := first[f.GetName()].(string); value != "" {
			tw.is[f.GetName()], tw.none[f.GetName()] = spelt(f, value), spelt(f, nobodys(c.Name, f, value))
		}
	}
	return tw
}

// nobodys is a value that no row has; of a bool the other one.
func nobodys(collection string, f core.Field, value string) string {
	if f.Type() == core.FieldTypeBool {
		return map[string]string{"1": "0", "0": "1"}[value]
	}
	if v, ok := marked(collection, f, 2); ok && f.GetName() != "id" {
		return v
	}
	return "nobodyhasthis00"
}

// newRow is a row of a collection that has none.
func (h *house) newRow(c *core.Collection) dbx.NullStringMap {
	row := dbx.NullStringMap{"id": {String: "none", Valid: true}}
	for _, f := range c.Fields {
		v, _ := marked(c.Name, f, 0)
		row[f.GetName()] = sql.NullString{String: v, Valid: true}
		switch f := f.(type) {
		case *core.SelectField:
			row[f.Name] = sql.NullString{String: f.Values[0], Valid: true}
		case *core.RelationField:
			if to, err := h.Runtime.App.FindCollectionByNameOrId(f.CollectionId); err == nil {
				row[f.Name] = sql.NullString{String: h.rows[to.Name], Valid: true}
			}
		}
	}
	if row["collectionRef"].Valid { // PocketBase's own, of an account
		patients, err := h.Runtime.App.FindCollectionByNameOrId(collections.Patients)
		if err == nil {
			row["collectionRef"] = sql.NullString{String: patients.Id, Valid: true}
			row["recordRef"] = sql.NullString{String: h.owner.ID, Valid: true}
		}
	}
	return row
}

// insertApart inserts a row, and makes unlike what would make it another's twin in
// a unique index; where only links could, it goes to the second institution.
func (h *house) insertApart(t *testing.T, table string, row dbx.Params, id string) string {
	t.Helper()
	row["id"] = id
	for try := range 8 {
		_, err := h.Runtime.App.NonconcurrentDB().Insert(table, row).Execute()
		if err == nil {
			return id
		}
		_, list, ok := strings.Cut(err.Error(), "UNIQUE constraint failed: ")
		if !ok {
			t.Fatalf("%s: %v", table, err)
		}
		list, _, _ = strings.Cut(list, " (")
		columns := strings.Split(strings.ReplaceAll(list, table+".", ""), ", ")
		column := strings.Trim(columns[len(columns)-1-try%len(columns)], "`\" ")
		if column == "institution" {
			row[column] = "planted00000000"
		} else {
			row[column] = fmt.Sprint(row[column], try+1)
		}
	}
	t.Fatalf("%s: no second row; give its table a column that tells rows apart, or plant two in newHouse", table)
	return ""
}

// hop is a way from one collection to another in filters and expands.
type hop struct{ path, to string }

// hopsOf are the links of every collection, there and back.
func hopsOf(all map[string]*twins) map[string][]hop {
	byID := map[string]string{}
	for name, c := range all {
		byID[c.Id] = name
	}
	out := map[string][]hop{}
	for name, c := range all {
		for _, f := range c.Fields {
			if r, ok := f.(*core.RelationField); ok {
				to := byID[r.CollectionId]
				out[name] = append(out[name], hop{r.Name, to})
				out[to] = append(out[to], hop{name + "_via_" + r.Name, name})
			}
		}
	}
	for name := range out {
		slices.SortFunc(out[name], func(a, b hop) int { return strings.Compare(a.path, b.path) })
	}
	return out
}
