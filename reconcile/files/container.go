package files

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// Limits against files that unpack to far more than they are. Real bills
// shrink ten- to twentyfold; DEFLATE can do a thousandfold.
const (
	maxPlain   = 4 << 30
	maxRatio   = 200
	freePlain  = 64 << 20 // up to this size the ratio does not matter
	maxMembers = 100
)

var errBomb = errors.New("解压后大得不合常理，可能不是账单")

// container is a file with what is packed in it.
type container struct {
	file   File
	kind   string // "", gzip, zip
	zip    *zip.Reader
	sheets func(read func(name string, rows func() ([]string, int, error)) error) error // of a workbook or page
}

// openContainer looks at the first bytes, not at the name.
func openContainer(f File) (*container, error) {
	c := &container{file: f}
	magic := make([]byte, 2048)
	n, err := f.Data.ReadAt(magic, 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s 无法读取：%w", f.Name, err)
	}
	switch magic = magic[:n]; {
	case n == 0:
		return nil, &Refusal{f.Name, 0, "文件是空的"}
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		c.kind = "gzip"
	case bytes.HasPrefix(magic, []byte("PK")):
		c.kind = "zip"
		if c.zip, err = zip.NewReader(f.Data, f.Size); err != nil {
			return nil, &Refusal{f.Name, 0, "压缩包不完整或已损坏"}
		}
		return c, c.openZip()
	case bytes.HasPrefix(magic, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return nil, &Refusal{f.Name, 0, oldExcel(f)}
	case bytes.Contains(magic, []byte("urn:schemas-microsoft-com:office:spreadsheet")):
		c.sheets = c.xmlSheets
	case isPage(magic):
		c.sheets = c.pageTables
	case bytes.HasPrefix(magic, []byte("MIME-Version:")):
		return nil, &Refusal{f.Name, 0, "是网页存档（MHT），请用 Excel 打开后另存为 .xlsx 或 CSV"}
	}
	return c, nil
}

// openZip tells workbooks from packed text.
func (c *container) openZip() error {
	parts := map[string]bool{}
	for _, m := range c.zip.File {
		if m.Flags&1 != 0 {
			return &Refusal{c.file.Name, 0, "压缩包有密码，请先用密码解压，再给解出的文件"}
		}
		parts[m.Name] = true
	}
	switch {
	case parts["[Content_Types].xml"]:
		c.sheets = c.xlsxSheets
	case parts["content.xml"] && parts["mimetype"]:
		c.sheets = c.odsSheets
	case len(c.zip.File) > maxMembers:
		return &Refusal{c.file.Name, 0, "压缩包里的文件太多，不是渠道账单"}
	}
	return nil
}

// oldExcel says what a file of Microsoft's old container is: a workbook with a
// password looks like an old one.
func oldExcel(f File) string {
	head := make([]byte, min(f.Size, 4<<20))
	n, _ := f.Data.ReadAt(head, 0)
	if bytes.Contains(head[:n], []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")) {
		return "Excel 文件有打开密码，请去掉密码另存后再给"
	}
	return "是旧格式的 Excel 文件（.xls），请另存为 .xlsx 或 CSV"
}

// isPage reports whether a file is an HTML page, as many systems export under
// the name of .xls.
func isPage(head []byte) bool {
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	return bytes.HasPrefix(text, []byte("<")) && (bytes.Contains(text, []byte("<html")) || bytes.Contains(text, []byte("<table")) ||
		bytes.HasPrefix(text, []byte("<!doctype html")))
}

// each opens every member, in the order of the archive.
func (c *container) each(read func(io.Reader) error) error {
	raw := io.NewSectionReader(c.file.Data, 0, c.file.Size)
	switch c.kind {
	case "gzip":
		z, err := gzip.NewReader(raw)
		if err != nil {
			return &Refusal{c.file.Name, 0, "压缩文件不完整或已损坏"}
		}
		return c.named(read(bounded(z, c.file.Size)))
	case "zip":
		return c.eachMember(read)
	}
	return c.named(read(&limited{r: raw, left: maxPlain}))
}

func (c *container) eachMember(read func(io.Reader) error) error {
	for _, m := range c.zip.File {
		if m.FileInfo().IsDir() {
			continue
		}
		in, err := m.Open()
		if err != nil {
			return &Refusal{c.file.Name, 0, "压缩包不完整或已损坏"}
		}
		err = read(bounded(in, c.file.Size))
		in.Close()
		if err != nil {
			return c.named(err)
		}
	}
	return nil
}

// named turns errors of unpacking into a refusal of the file.
func (c *container) named(err error) error {
	var refusal *Refusal
	switch {
	case err == nil || errors.As(err, &refusal):
		return err
	case errors.Is(err, errBomb):
		return &Refusal{c.file.Name, 0, errBomb.Error()}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrFormat), errors.Is(err, gzip.ErrChecksum),
		errors.Is(err, gzip.ErrHeader), isFlate(err):
		return &Refusal{c.file.Name, 0, "压缩文件不完整或已损坏"}
	}
	return err
}

// limited fails once more was read than allowed.
type limited struct {
	r    io.Reader
	left int64
}

// bounded limits what a packed file of the given size may unpack to.
func bounded(r io.Reader, packed int64) io.Reader {
	return &limited{r: r, left: min(max(freePlain, packed*maxRatio), maxPlain)}
}

// Read reads on and counts.
func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errBomb
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}
