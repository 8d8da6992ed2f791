package vault

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
)

// A sealed stream is a head and chunks of one size, each sealed for itself. The
// head is magic, algorithm, data key and a salt, from which the stream has a key
// of its own. The nonce of a chunk counts, and says of the last one that it is
// the last, so that chunks cannot be moved, left out or cut off (STREAM of
// Hoang, Reyhanitabar, Rogaway and Vizár). Memory is that of one chunk.
const (
	streamMagic = "\x00hospay\x02"
	streamChunk = 64 << 10
	streamSalt  = 16
	streamHead  = len(streamMagic) + 5 + streamSalt // algorithm, key, salt
	tagLen      = 16
)

// ErrStream is a sealed stream that was changed, cut, or belongs to another row.
var ErrStream = errors.New("vault: sealed file does not open here")

// Sealed reports whether a file begins as sealed ones do.
func Sealed(head []byte) bool { return bytes.HasPrefix(head, []byte(streamMagic)) }

// SealedHead is how many bytes Sealed needs.
const SealedHead = len(streamMagic)

// stream is the state that both directions share.
type stream struct {
	aead  cipher.AEAD
	nonce [nonceLen]byte
	aad   []byte
	n     uint32
}

func (s *stream) next(last bool) []byte {
	binary.BigEndian.PutUint32(s.nonce[nonceLen-5:], s.n)
	s.nonce[nonceLen-1] = 0
	if last {
		s.nonce[nonceLen-1] = 1
	}
	s.n++
	return s.nonce[:]
}

func newStream(k liveKey, head []byte, place string) (*stream, error) {
	key, err := hkdf.Key(sha256.New, k.raw, head[streamHead-streamSalt:], "hospay|stream", len(k.raw))
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(k.Alg, key)
	return &stream{aead: aead, aad: aad(head, place)}, err
}

// SealTo returns a writer that seals for a row what is written to it and writes
// that to w. Close writes the last chunk; it does not close w.
func (v *Vault) SealTo(p Purpose, place string, w io.Writer) (io.WriteCloser, error) {
	k, err := v.keyFor(p)
	if err != nil {
		return nil, err
	}
	return sealTo(k, place, w)
}

func sealTo(k liveKey, place string, w io.Writer) (io.WriteCloser, error) {
	head := append([]byte(streamMagic), algNumber(k.Alg))
	head = binary.BigEndian.AppendUint32(head, k.ID)
	head = append(head, random(streamSalt)...)
	st, err := newStream(k, head, place)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(head); err != nil {
		return nil, err
	}
	return &sealer{stream: st, w: w, buf: make([]byte, 0, streamChunk)}, nil
}

type sealer struct {
	*stream
	w   io.Writer
	buf []byte
	out []byte
}

// Write implements io.Writer.
func (s *sealer) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if len(s.buf) == streamChunk { // more is coming, so it is not the last
			if err := s.flush(false); err != nil {
				return total - len(p), err
			}
		}
		n := min(len(p), streamChunk-len(s.buf))
		s.buf, p = append(s.buf, p[:n]...), p[n:]
	}
	return total, nil
}

func (s *sealer) flush(last bool) error {
	if s.n == 1<<32-1 {
		return errors.New("vault: file is too large to be sealed")
	}
	s.out = s.aead.Seal(s.out[:0], s.next(last), s.buf, s.aad)
	s.buf = s.buf[:0]
	_, err := s.w.Write(s.out)
	return err
}

// Close implements io.Closer.
func (s *sealer) Close() error { return s.flush(true) }

// OpenFrom reads what SealTo has written for the same row. What it returns is
// authentic; a stream that was cut ends with ErrStream, never with io.EOF.
func (v *Vault) OpenFrom(place string, r io.Reader) (io.Reader, error) {
	return openFrom(v.keyOf, place, r)
}

func openFrom(keyOf func(id uint32) (liveKey, error), place string, r io.Reader) (io.Reader, error) {
	head := make([]byte, streamHead)
	if _, err := io.ReadFull(r, head); err != nil || !Sealed(head) {
		return nil, ErrFormat
	}
	k, err := keyOf(binary.BigEndian.Uint32(head[SealedHead+1:]))
	if err != nil {
		return nil, err
	}
	if head[SealedHead] != algNumber(k.Alg) {
		return nil, ErrKey
	}
	st, err := newStream(k, head, place)
	return &opener{stream: st, r: r, in: make([]byte, 0, streamChunk+tagLen+1), out: make([]byte, 0, streamChunk)}, err
}

type opener struct {
	*stream
	r     io.Reader
	in    []byte // what was read and is not opened: a chunk, and one byte more where another follows
	out   []byte
	plain []byte // of out, what was not read
	done  bool
	err   error
}

// Read implements io.Reader.
func (o *opener) Read(p []byte) (int, error) {
	for len(o.plain) == 0 && o.err == nil {
		o.err = o.open()
	}
	if len(o.plain) == 0 {
		return 0, o.err
	}
	n := copy(p, o.plain)
	o.plain = o.plain[n:]
	return n, nil
}

// open opens the next chunk. One byte is read ahead: only the last chunk has
// nothing behind it.
func (o *opener) open() error {
	if o.done {
		return io.EOF
	}
	have := len(o.in)
	n, err := io.ReadFull(o.r, o.in[have:cap(o.in)])
	o.in = o.in[:have+n]
	switch err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		o.done = true
	default:
		return err
	}
	chunk := o.in
	if !o.done {
		chunk = o.in[:streamChunk+tagLen]
	}
	plain, err := o.aead.Open(o.out[:0], o.next(o.done), chunk, o.aad)
	if err != nil {
		return ErrStream
	}
	o.plain = plain
	o.in = o.in[:copy(o.in, o.in[len(chunk):])]
	return nil
}
