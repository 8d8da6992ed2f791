// Package photo makes uploaded pictures harmless: what comes in is decoded
// within fixed bounds and encoded anew, so that nothing of the upload but its
// pixels is kept — no position, no tail, no script.
package photo

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/disintegration/imaging"
	"golang.org/x/image/webp"
)

// The bounds of a picture.
const (
	MaxBytes   = 10 << 20  // of an upload
	maxPixels  = 40e6      // 40 megapixels
	maxSide    = 20_000    // of either side
	maxDecoded = 160 << 20 // bytes that a decoder may need
	keptSide   = 2000      // longer side of what is kept
	quality    = 82
)

// Errors of Clean.
var (
	ErrInvalid  = errors.New("photo: not a picture that can be read")
	ErrTooLarge = errors.New("photo: the picture is too large")
)

// Photo is a picture as it is kept.
type Photo struct {
	JPEG          []byte
	Width, Height int
}

// decoding lets two pictures be decoded at a time, whatever arrives.
var decoding = make(chan struct{}, 2)

// Clean reads a JPEG, PNG or WebP picture, whatever it is called, and returns
// it upright, at most 2000 pixels long, as a JPEG without any metadata. It
// waits for its turn; ctx ends the waiting.
func Clean(ctx context.Context, data []byte) (Photo, error) {
	if len(data) > MaxBytes {
		return Photo{}, ErrTooLarge
	}
	f, ok := formatOf(data)
	if !ok {
		return Photo{}, ErrInvalid
	}
	if err := f.bounds(data); err != nil {
		return Photo{}, err
	}
	select {
	case decoding <- struct{}{}:
		defer func() { <-decoding }()
	case <-ctx.Done():
		return Photo{}, ctx.Err()
	}
	img, err := f.read(data)
	if err != nil {
		return Photo{}, ErrInvalid
	}
	return encode(upright(scaled(img), f.orientation(data)))
}

// format is one kind of picture. memory is what its decoder needs for n
// pixels of a colour model.
type format struct {
	config      func(io.Reader) (image.Config, error)
	decode      func(io.Reader) (image.Image, error)
	memory      func(data []byte, pixels int64, m color.Model) int64
	orientation func(data []byte) int
}

// read decodes; a decoder that falls over has met no picture.
func (f format) read(data []byte) (img image.Image, err error) {
	defer func() {
		if recover() != nil {
			err = ErrInvalid
		}
	}()
	return f.decode(bytes.NewReader(data))
}

func none([]byte) int { return 1 }

// formatOf knows a picture by its first bytes.
func formatOf(data []byte) (format, bool) {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xd8, 0xff}):
		return format{jpeg.DecodeConfig, jpeg.Decode, jpegMemory, jpegOrientation}, true
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return format{png.DecodeConfig, png.Decode, pngMemory, none}, true
	case len(data) > 16 && bytes.HasPrefix(data, []byte("RIFF")) && bytes.Equal(data[8:12], []byte("WEBP")):
		return format{webp.DecodeConfig, webp.Decode, webpMemory, none}, true
	}
	return format{}, false
}

// bounds refuses, from the header alone, what would take too much to decode.
func (f format) bounds(data []byte) error {
	c, err := f.config(bytes.NewReader(data))
	if err != nil || c.Width <= 0 || c.Height <= 0 {
		return ErrInvalid
	}
	pixels := int64(c.Width) * int64(c.Height)
	if c.Width > maxSide || c.Height > maxSide || pixels > maxPixels || f.memory(data, pixels, c.ColorModel) > maxDecoded {
		return ErrTooLarge
	}
	return nil
}

func pngMemory(_ []byte, pixels int64, m color.Model) int64 {
	switch m {
	case color.RGBA64Model, color.NRGBA64Model:
		return 8 * pixels
	case color.Gray16Model:
		return 2 * pixels
	}
	return 4 * pixels
}

// webpMemory counts the transparency and the working copy of either kind.
func webpMemory(_ []byte, pixels int64, _ color.Model) int64 { return 8 * pixels }

// scaled brings the longer side down to what is kept, over white where the
// picture is transparent.
func scaled(img image.Image) *image.NRGBA {
	small := imaging.Fit(img, keptSide, keptSide, imaging.Box)
	if small.Opaque() {
		return small
	}
	white := imaging.New(small.Bounds().Dx(), small.Bounds().Dy(), color.White)
	return imaging.Overlay(white, small, image.Point{}, 1)
}

// upright applies the orientation of EXIF, 1 to 8.
func upright(img *image.NRGBA, orientation int) *image.NRGBA {
	switch orientation {
	case 2:
		return imaging.FlipH(img)
	case 3:
		return imaging.Rotate180(img)
	case 4:
		return imaging.FlipV(img)
	case 5:
		return imaging.Transpose(img)
	case 6:
		return imaging.Rotate270(img)
	case 7:
		return imaging.Transverse(img)
	case 8:
		return imaging.Rotate90(img)
	}
	return img
}

func encode(img *image.NRGBA) (Photo, error) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return Photo{}, err
	}
	return Photo{JPEG: out.Bytes(), Width: img.Bounds().Dx(), Height: img.Bounds().Dy()}, nil
}
