package files_test

import (
	"archive/zip"
	"bytes"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"hospay/reconcile"
)

// packed makes a package of parts.
func packed(t testing.TB, parts map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range parts {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// hostileFiles are tables that are small as files and made to be large, or slow,
// or deep, when they are read.
func hostileFiles(t testing.TB) map[string]string {
	again := func(text string, size int) string { return strings.Repeat(text, size/len(text)) }
	const much = 12 << 20
	row := func(cells string) string {
		return "<worksheet><sheetData><row>" + cells + "</row></sheetData></worksheet>"
	}
	ods := func(body string) string {
		return packed(t, map[string]string{"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": body})
	}
	return map[string]string{
		"nested rows":              sheetOnly(again("<row><c><is><t>x", much), "<sst/>"),
		"nested cells":             sheetOnly(row(again("<c>", much)), "<sst/>"),
		"a cell of a million runs": sheetOnly(row("<c t=\"inlineStr\"><is>"+again("<r><t>x</t></r>", much)+"</is></c>"), "<sst/>"),
		"a text of a million runs": sheetOnly(row("<c/>"), "<sst><si>"+again("<r><t>x</t></r>", much)+"</si></sst>"),
		"a million texts":          sheetOnly(row("<c/>"), "<sst>"+again("<si><t/></si>", much)+"</sst>"),
		"comments":                 sheetOnly(row("<c>"+again("a<!---->", much)+"</c>"), "<sst/>"),
		"a tag full of ends":       sheetOnly(row(`<c r="`+again(">", much)+`"/>`), "<sst/>"),
		"a comment full of ends":   sheetOnly(row(`<!--`+again(">", much)+`-->`), "<sst/>"),
		"columns that repeat": ods("<table>" + again(
			`<table-row><table-cell number-columns-repeated="1024"><p>x</p></table-cell></table-row>`, much) +
			"</table>"),
		"rows that repeat": ods(again(
			`<table><table-row number-rows-repeated="1048576"><table-cell><p>x</p></table-cell></table-row></table>`, much)),
		"a page of cells": "<html><table>" + again("<tr><td>x", much) + "</table></html>",
		"nested tables":   "<html>" + again("<table>", much),
		"old XML": `<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table>` +
			again(`<Row><Cell Index="1024"><Data>x</Data></Cell></Row>`, much) + `</Table></Worksheet></Workbook>`,
	}
}

// TestSheets_HostileFilesAreBounded in memory, whatever they are made of; they
// are refused with a word, or read as far as they make sense.
func TestSheets_HostileFilesAreBounded(t *testing.T) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	held := func() int64 {
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64())
	}
	for name, file := range hostileFiles(t) {
		debug.FreeOSMemory()
		before, peak := held(), int64(0)
		end, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for {
				peak = max(peak, held()-before)
				select {
				case <-end:
					return
				case <-time.After(time.Millisecond):
				}
			}
		}()
		err := readTable(reconcile.HIS, file).err
		close(end)
		<-ended
		t.Logf("%s: %d MB, %v", name, peak>>20, err)
		if peak > 350<<20 {
			t.Errorf("%s took %d MB", name, peak>>20)
		}
	}
}
