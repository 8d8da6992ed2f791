package report

import (
	"archive/zip"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
)

// finish writes the workbook straight to w. The library would otherwise hold
// the whole compressed file in memory.
func finish(f *excelize.File, w io.Writer) error {
	f.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(w) })
	_, err := f.WriteToBuffer()
	return err
}

// maxFooter keeps the footer within the 255 characters that a sheet allows.
const maxFooter = 120

// footer numbers the pages and names who exported them. & begins a code.
func footer(watermark string) string {
	pages := "&C第 &P 页 / 共 &N 页"
	if watermark == "" {
		return pages
	}
	r := []rune(watermark)
	return "&L" + strings.ReplaceAll(string(r[:min(len(r), maxFooter)]), "&", "&&") + pages
}
