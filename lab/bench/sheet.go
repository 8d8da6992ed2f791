package main

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/xuri/excelize/v2"
)

// besideBareSheet writes the cells of an export once more with nothing but
// excelize's stream writer, in a process of its own.
func (b *bench) besideBareSheet(export string, wall, memory float64) error {
	cells := filepath.Join(b.work, "cells")
	if err := keepCells(export, cells); err != nil {
		return err
	}
	defer os.Remove(cells)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var walls, peaks []float64
	for range 3 {
		run := exec.Command(self, "-sheet", cells)
		run.Stderr = os.Stderr
		o, err := watch(run)
		if err != nil {
			return err
		}
		walls, peaks = append(walls, o.wall), append(peaks, o.peak)
	}
	b.add("export, the same cells by a bare stream writer", middle(walls), "s", "")
	b.add("export, the same cells by a bare stream writer, peak memory", middle(peaks), "MiB", "")
	b.add("export, ratio of times to a bare stream writer", wall/middle(walls), "", "≤ 1.15")
	b.add("export, ratio of memory to a bare stream writer", memory/middle(peaks), "", "≤ 1.15")
	return nil
}

// keepCells reads the first sheet of a workbook and keeps its rows.
func keepCells(workbook, cells string) error {
	book, err := excelize.OpenFile(workbook, excelize.Options{RawCellValue: true})
	if err != nil {
		return err
	}
	defer book.Close()
	rows, err := book.Rows(book.GetSheetName(0))
	if err != nil {
		return err
	}
	defer rows.Close()
	out, err := os.Create(cells)
	if err != nil {
		return err
	}
	defer out.Close()
	buf := bufio.NewWriterSize(out, 1<<20)
	enc := gob.NewEncoder(buf)
	for rows.Next() {
		row, err := rows.Columns()
		if err != nil {
			return err
		}
		if err := enc.Encode(append(row, "")); err != nil { // an empty row has none
			return err
		}
	}
	return errors.Join(rows.Error(), buf.Flush())
}

// writeSheet writes the rows that were kept, amounts as numbers.
func writeSheet(cells string) error {
	in, err := os.Open(cells)
	if err != nil {
		return err
	}
	defer in.Close()
	book := excelize.NewFile()
	defer book.Close()
	w, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	dec := gob.NewDecoder(bufio.NewReaderSize(in, 1<<20))
	for n := 1; ; n++ {
		var row []string
		if err := dec.Decode(&row); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		values := make([]any, len(row))
		for i, v := range row {
			values[i] = v
			if f, err := strconv.ParseFloat(v, 64); err == nil && len(v) < 12 {
				values[i] = f
			}
		}
		if err := w.SetRow(fmt.Sprintf("A%d", n), values); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return book.SaveAs(cells + ".xlsx")
}
