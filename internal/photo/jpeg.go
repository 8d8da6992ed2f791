package photo

import (
	"bytes"
	"encoding/binary"
	"image/color"
)

// segments calls f with every marker segment before the picture data (ITU-T
// T.81, B.1.1), until f says that it is enough.
func segments(data []byte, f func(marker byte, body []byte) bool) {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker := data[at+1]
		if marker == 0xff { // filling
			at++
			continue
		}
		size := int(binary.BigEndian.Uint16(data[at+2:]))
		end := at + 2 + size
		if size < 2 || end > len(data) || marker == 0xda || !f(marker, data[at+4:end]) {
			return
		}
		at = end
	}
}

// jpegMemory counts the samples of all components, and for a progressive
// picture the coefficients (four bytes each), which its decoder holds at once.
func jpegMemory(data []byte, pixels int64, m color.Model) int64 {
	each := int64(3)
	switch m {
	case color.GrayModel:
		each = 1
	case color.CMYKModel:
		each = 8 // and a copy
	}
	segments(data, func(marker byte, _ []byte) bool {
		if marker == 0xc2 {
			each *= 5
		}
		return marker != 0xc2
	})
	return each * pixels
}

// jpegOrientation reads the orientation of EXIF; 1, upright, without one.
func jpegOrientation(data []byte) int {
	found := 1
	segments(data, func(marker byte, body []byte) bool {
		tiff, isExif := bytes.CutPrefix(body, []byte("Exif\x00\x00"))
		if marker != 0xe1 || !isExif {
			return true
		}
		if n := tiffOrientation(tiff); n >= 1 && n <= 8 {
			found = n
		}
		return false
	})
	return found
}

// orientationTag is the number of the orientation among the fields of TIFF.
const orientationTag = 0x0112

// tiffOrientation looks the tag up in the first directory of a TIFF block: two
// bytes of byte order, 42, the place of the directory; there a count and fields
// of twelve bytes.
func tiffOrientation(b []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(b, []byte("MM")) {
		order = binary.BigEndian
	} else if !bytes.HasPrefix(b, []byte("II")) {
		return 0
	}
	if len(b) < 8 {
		return 0
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 0
	}
	fields := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(fields) < 12 {
			return 0
		}
		if order.Uint16(fields) == orientationTag {
			return int(order.Uint16(fields[8:]))
		}
		fields = fields[12:]
	}
	return 0
}
