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

// maxFooter is how much of who exported fits beside the page numbers.
const maxFooter = 60

// footer numbers the pages and names who exported them, in 9 points. & begins a
// code, and a digit after a size would belong to it.
func footer(watermark string) string {
	pages := "&R&9 第 &P 页 / 共 &N 页"
	if watermark == "" {
		return pages
	}
	r := []rune(watermark)
	return "&L&9 " + strings.ReplaceAll(string(r[:min(len(r), maxFooter)]), "&", "&&") + pages
}
