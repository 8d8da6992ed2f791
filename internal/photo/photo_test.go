package photo_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"runtime"
	"testing"

	"hospay/internal/photo"
)

// drawn is a picture whose left half is red and whose right half is blue, with
// noise, so that it does not compress to nothing.
func drawn(w, h, noise int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	rng := rand.New(rand.NewPCG(1, 2))
	for y := range h {
		for x := range w {
			n := uint8(0)
			if noise > 0 {
				n = uint8(rng.IntN(noise))
			}
			c := color.RGBA{200, n, n, 255}
			if x >= w/2 {
				c = color.RGBA{n, n, 200, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func asJPEG(t testing.TB, img image.Image, q int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: q}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withExif puts an EXIF segment with an orientation and a position behind the
// first marker.
func withExif(plain []byte, orientation uint16, order binary.AppendByteOrder, mark string) []byte {
	var tiff []byte
	tiff = append(tiff, mark...)
	tiff = order.AppendUint16(tiff, 42)
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, f := range []struct{ tag, kind, value uint16 }{{0x0112, 3, orientation}, {0x8825, 4, 0}} {
		tiff = order.AppendUint16(tiff, f.tag)
		tiff = order.AppendUint16(tiff, f.kind)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, f.value)
		tiff = order.AppendUint16(tiff, 0)
	}
	body := append([]byte("Exif\x00\x00"), tiff...)
	body = append(body, "GPS 39.9042N 116.4074E"...)
	out := append([]byte{}, plain[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	return append(append(out, body...), plain[2:]...)
}

// hugePNG is a header that claims w × h pixels, with almost no data.
func hugePNG(w, h uint32) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, body []byte) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
		all := append([]byte(kind), body...)
		out = append(out, all...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(all))
	}
	head := binary.BigEndian.AppendUint32(nil, w)
	head = binary.BigEndian.AppendUint32(head, h)
	chunk("IHDR", append(head, 8, 2, 0, 0, 0))
	chunk("IDAT", []byte{0x78, 0x9c, 0x63, 0, 0, 0, 1, 0, 1})
	chunk("IEND", nil)
	return out
}

func zipped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("payload.html")
	if err == nil {
		_, err = f.Write([]byte("<script>alert(1)</script>"))
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func clean(t *testing.T, data []byte) (photo.Photo, image.Image) {
	t.Helper()
	p, err := photo.Clean(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	img, kind, err := image.Decode(bytes.NewReader(p.JPEG))
	if err != nil || kind != "jpeg" || img.Bounds().Dx() != p.Width || img.Bounds().Dy() != p.Height {
		t.Fatalf("what is kept is %s %v, said %d×%d: %v", kind, img.Bounds(), p.Width, p.Height, err)
	}
	return p, img
}

func TestClean_KeepsNothingButThePixels(t *testing.T) {
	plain := asJPEG(t, drawn(300, 200, 40), 90)
	for name, c := range map[string]struct {
		data []byte
		gone string
	}{
		"位置信息":    {withExif(plain, 1, binary.LittleEndian, "II"), "GPS 39.9042N"},
		"EXIF 标记": {withExif(plain, 1, binary.BigEndian, "MM"), "Exif"},
		"尾部的压缩包":  {append(append([]byte{}, plain...), zipped(t)...), "payload.html"},
		"尾部的脚本":   {append(append([]byte{}, plain...), "<script>alert(1)</script>"...), "<script>"},
		"注释里的脚本": {append(append(append([]byte{}, plain[:2]...), 0xff, 0xfe, 0, 27, '<', 's', 'c', 'r', 'i', 'p', 't', '>', 'a', 'l', 'e',
			'r', 't', '(', '1', ')', '<', '/', 's', 'c', 'r', 'i', 'p', 't', '>'), plain[2:]...), "<script>"},
		"PNG 之后的压缩包": {append(asPNG(t, drawn(300, 200, 40)), zipped(t)...), "payload.html"},
	} {
		if !bytes.Contains(c.data, []byte(c.gone)) {
			t.Fatalf("%s: the upload does not hold %q", name, c.gone)
		}
		p, err := photo.Clean(t.Context(), c.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if bytes.Contains(p.JPEG, []byte(c.gone)) || p.Width != 300 || p.Height != 200 {
			t.Errorf("%s: %d×%d, still holds %q: %v", name, p.Width, p.Height, c.gone, bytes.Contains(p.JPEG, []byte(c.gone)))
		}
	}
}

func TestClean_RefusesWhatIsNoPicture(t *testing.T) {
	plain := asJPEG(t, drawn(300, 200, 40), 90)
	var moving bytes.Buffer
	if err := gif.Encode(&moving, drawn(20, 20, 0), nil); err != nil {
		t.Fatal(err)
	}
	broken := append([]byte{}, plain...)
	broken[len(broken)/2], broken[len(broken)/2+1] = 0xff, 0xd8
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"网页改名":        {[]byte("<html><script>alert(1)</script></html>"), photo.ErrInvalid},
		"SVG":         {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), photo.ErrInvalid},
		"GIF":         {moving.Bytes(), photo.ErrInvalid},
		"空文件":         {nil, photo.ErrInvalid},
		"只有开头":        {plain[:3], photo.ErrInvalid},
		"截断":          {plain[:len(plain)/2], photo.ErrInvalid},
		"损坏":          {broken, photo.ErrInvalid},
		"TIFF":        {[]byte("II*\x00\x08\x00\x00\x00\x00\x00"), photo.ErrInvalid},
		"五万像素见方的 PNG": {hugePNG(50_000, 50_000), photo.ErrTooLarge},
		"极长的 PNG":     {hugePNG(1, 30_000), photo.ErrTooLarge},
		"四千一百万像素":     {hugePNG(8200, 5000), photo.ErrTooLarge},
		"没有数据的四千万像素":  {hugePNG(8000, 5000), photo.ErrInvalid},
		"超过十兆":        {append(plain, make([]byte, photo.MaxBytes)...), photo.ErrTooLarge},
	} {
		if _, err := photo.Clean(t.Context(), c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// at tells whether the kept picture is red or blue at a point given in parts of
// its size.
func at(img image.Image, x, y float64) string {
	b := img.Bounds()
	r, _, blue, _ := img.At(int(x*float64(b.Dx())), int(y*float64(b.Dy()))).RGBA()
	if r > blue {
		return "red"
	}
	return "blue"
}

func TestClean_StandsUpright(t *testing.T) {
	plain := asJPEG(t, drawn(300, 200, 0), 95)
	for _, c := range []struct {
		orientation uint16
		w, h        int
		red         [2]float64
	}{
		{1, 300, 200, [2]float64{0.1, 0.5}}, {2, 300, 200, [2]float64{0.9, 0.5}}, {3, 300, 200, [2]float64{0.9, 0.5}},
		{4, 300, 200, [2]float64{0.1, 0.5}},
		{5, 200, 300, [2]float64{0.5, 0.1}}, {6, 200, 300, [2]float64{0.5, 0.1}}, {7, 200, 300, [2]float64{0.5, 0.9}},
		{8, 200, 300, [2]float64{0.5, 0.9}},
		{9, 300, 200, [2]float64{0.1, 0.5}},
	} {
		for mark, order := range map[string]binary.AppendByteOrder{"II": binary.LittleEndian, "MM": binary.BigEndian} {
			p, img := clean(t, withExif(plain, c.orientation, order, mark))
			if p.Width != c.w || p.Height != c.h || at(img, c.red[0], c.red[1]) != "red" || at(img, 1-c.red[0], 1-c.red[1]) != "blue" {
				t.Errorf("orientation %d (%s): %d×%d, red at %v: %s", c.orientation, mark, p.Width, p.Height, c.red, at(img, c.red[0], c.red[1]))
			}
		}
	}
}

// TestClean_BigPhotoWithinBounds brings an 8 MB photo of 12 megapixels down,
// and measures everything that is allocated for it.
func TestClean_BigPhotoWithinBounds(t *testing.T) {
	data := asJPEG(t, drawn(4000, 3000, 200), 96)
	for q := 96; len(data) > 9<<20; q -= 2 {
		data = asJPEG(t, drawn(4000, 3000, 200), q)
	}
	if len(data) < 7<<20 {
		t.Fatalf("the photo has only %d bytes", len(data))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, img := clean(t, data)
	runtime.ReadMemStats(&after)
	if p.Width != 2000 || p.Height != 1500 || at(img, 0.1, 0.5) != "red" || at(img, 0.9, 0.5) != "blue" || len(p.JPEG) > 3<<20 {
		t.Errorf("kept %d×%d in %d bytes", p.Width, p.Height, len(p.JPEG))
	}
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 150 {
		t.Errorf("%d MB were allocated", used)
	}
}

// TestClean_RefusalsCostNothing: a header that lies is refused before anything
// is allocated for the picture.
func TestClean_RefusalsCostNothing(t *testing.T) {
	huge := hugePNG(50_000, 50_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, err := photo.Clean(t.Context(), huge); !errors.Is(err, photo.ErrTooLarge) {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) / 100; used > 100_000 {
		t.Errorf("%d bytes for each refusal", used)
	}
}

// TestClean_DeepAndProgressivePicturesNeedMore: what a decoder needs counts,
// not only how many pixels there are.
func TestClean_DeepAndProgressivePicturesNeedMore(t *testing.T) {
	deep := hugePNG(6000, 5000)
	deep[24] = 16
	binary.BigEndian.PutUint32(deep[29:], crc32.ChecksumIEEE(deep[12:29]))
	if _, err := photo.Clean(t.Context(), deep); !errors.Is(err, photo.ErrTooLarge) {
		t.Errorf("30 megapixels of 16 bits: %v", err)
	}
	// The frame header claims to be progressive with 16 megapixels.
	head := asJPEG(t, drawn(16, 16, 0), 90)
	sof := bytes.Index(head, []byte{0xff, 0xc0})
	head[sof+1] = 0xc2
	binary.BigEndian.PutUint16(head[sof+5:], 4000)
	binary.BigEndian.PutUint16(head[sof+7:], 4000)
	if _, err := photo.Clean(t.Context(), head); !errors.Is(err, photo.ErrTooLarge) {
		t.Errorf("16 progressive megapixels: %v", err)
	}
}

func TestClean_TransparentBecomesWhite(t *testing.T) {
	_, img := clean(t, asPNG(t, image.NewNRGBA(image.Rect(0, 0, 50, 50))))
	if r, g, b, _ := img.At(25, 25).RGBA(); min(r, g, b) < 0xf000 {
		t.Errorf("the ground is %x %x %x", r, g, b)
	}
}

func TestClean_WaitingEndsWithTheRequest(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data := asJPEG(t, drawn(20, 20, 0), 90)
	for range 50 { // a free place and an ended context are both ready
		if _, err := photo.Clean(ctx, data); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

func FuzzClean(f *testing.F) {
	plain := asJPEG(f, drawn(40, 30, 40), 80)
	f.Add(plain)
	f.Add(withExif(plain, 6, binary.LittleEndian, "II"))
	f.Add(asPNG(f, drawn(40, 30, 40)))
	f.Add(hugePNG(50_000, 50_000))
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := photo.Clean(t.Context(), data)
		if err != nil {
			if !errors.Is(err, photo.ErrInvalid) && !errors.Is(err, photo.ErrTooLarge) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		c, kind, err := image.DecodeConfig(bytes.NewReader(p.JPEG))
		if err != nil || kind != "jpeg" || max(c.Width, c.Height) > 2000 || c.Width != p.Width || c.Height != p.Height {
			t.Fatalf("kept %s %d×%d, said %d×%d: %v", kind, c.Width, c.Height, p.Width, p.Height, err)
		}
	})
}
