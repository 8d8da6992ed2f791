package store

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/pocketbase/dbx"
)

// Walk reads the rows of a query one after the other into a struct whose fields name
// their columns (db). Where each column goes is found out once and not for every row;
// a column that may be NULL has to be COALESCEd, and one without a field is an error.
func Walk[T any](rows *dbx.Rows, each func(T) error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	var line T
	v := reflect.ValueOf(&line).Elem()
	fields := map[string]int{}
	for i := range v.NumField() {
		fields[v.Type().Field(i).Tag.Get("db")] = i
	}
	into := make([]any, len(columns))
	for i, name := range columns {
		field, ok := fields[name]
		if !ok {
			return fmt.Errorf("store: %T has no field for %s", line, name)
		}
		into[i] = v.Field(field).Addr().Interface()
	}
	for rows.Next() {
		v.SetZero()
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := each(line); err != nil {
			return err
		}
	}
	return rows.Err()
}
