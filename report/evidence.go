package report

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

// Section is a table of the page, and a JSON file beside it.
type Section struct {
	File  string // reviews.json
	Title string // 审核记录
	Head  []string
	Rows  [][]string
	Data  any // what the file holds
}

// File is an enclosed file, such as a receipt.
type File struct {
	Name string
	Data []byte
}

// Pack is the evidence of one refund or payment.
type Pack struct {
	Title    string // 退款证据包
	NoName   string // 退款单号
	First    string // what its facts are of: 退款申请
	No       string
	Unit     string // 机构
	Person   string // who asked for it
	At       string // when; the only thing in it that differs for the same data
	Facts    [][2]string
	Sections []Section
	Files    []File
}

// listed is a file as the page lists it.
type listed struct {
	Name, SHA256 string
	Size         int
}

//go:embed evidence.html
var page embed.FS

var index = template.Must(template.New("evidence.html").Funcs(template.FuncMap{"join": strings.Join}).ParseFS(page, "evidence.html"))

// Write writes the ZIP: files with their hashes, and a page that prints. The
// same pack gives the same bytes.
func (p Pack) Write(w io.Writer) error {
	files, err := p.files()
	if err != nil {
		return err
	}
	var list []listed
	for _, f := range files {
		sum := sha256.Sum256(f.Data)
		list = append(list, listed{f.Name, hex.EncodeToString(sum[:]), len(f.Data)})
	}
	var html bytes.Buffer
	if err := index.Execute(&html, map[string]any{"Pack": p, "Files": list}); err != nil {
		return fmt.Errorf("evidence: page: %w", err)
	}
	z := zip.NewWriter(w)
	for _, f := range append([]File{{"index.html", html.Bytes()}}, files...) {
		out, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate}) // without a time
		if err != nil {
			return err
		}
		if _, err := out.Write(f.Data); err != nil {
			return err
		}
	}
	return z.Close()
}

// files are the JSON file of each section and the enclosed files, by name.
func (p Pack) files() ([]File, error) {
	files := slices.Clone(p.Files)
	for _, s := range p.Sections {
		data, err := json.MarshalIndent(s.Data, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("evidence: %s: %w", s.File, err)
		}
		files = append(files, File{s.File, append(data, '\n')})
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}
