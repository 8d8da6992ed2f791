package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
)

// Photo draws a picture that looks like a card on a table: a stand-in for the
// photo of a document. Every n gives another one.
func Photo(n int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 860, 540))
	fill := func(r image.Rectangle, c color.RGBA) { draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src) }
	fill(img.Bounds(), color.RGBA{0x8d, 0x7b, 0x68, 0xff})
	fill(image.Rect(40, 40, 820, 500), color.RGBA{0xe8, 0xf0, 0xf4, 0xff})
	fill(image.Rect(580, 110, 770, 350), color.RGBA{0xb0, 0xbe, 0xc8, 0xff})
	for line := range 5 {
		y := 120 + 60*line
		fill(image.Rect(90, y, 300+(n*97+line*61)%230, y+22), color.RGBA{0x30, uint8(n * 23), uint8(0x40 + n*41), 0xff})
	}
	for bar := range 40 {
		if n>>(bar%8)&1 == bar%2 {
			fill(image.Rect(90+12*bar, 440, 96+12*bar, 470), color.RGBA{0x20, 0x20, 0x20, 0xff})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 88}); err != nil {
		return nil
	}
	return out.Bytes()
}
