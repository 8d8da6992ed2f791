package his

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/ecdh"
	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm4"

	"hospay/sim"
)

// Vendor is the HIS where it asks hospay itself, as docs/his.md describes it.
type Vendor struct {
	Base, Institution string // code
	Key               string
	Nonce             func() string // nil: a new one each time
	Now               func() time.Time
	signer            *sm2.PrivateKey
}

// NewVendor asks the hospay at an address in the name of an institution.
func NewVendor(base, institution string) *Vendor {
	v := &Vendor{Base: base, Institution: institution, Key: VendorKey, Now: time.Now, Nonce: func() string { return sim.Token(24) }}
	seed := sim.Seed("his vendor")
	if k, err := ecdh.P256().NewPrivateKey(seed); err == nil {
		dot := k.PublicKey().Bytes()
		v.signer = &sm2.PrivateKey{}
		v.signer.D, v.signer.Curve = new(big.Int).SetBytes(seed), sm2.P256()
		v.signer.X, v.signer.Y = new(big.Int).SetBytes(dot[1:33]), new(big.Int).SetBytes(dot[33:])
	}
	return v
}

// Public is the vendor's SM2 key in hex, with the 04 in front.
func (v *Vendor) Public() string { return fmt.Sprintf("04%064x%064x", v.signer.X, v.signer.Y) }

func (s *Server) vendorPublic() string { return NewVendor("", "").Public() }

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func (v *Vendor) mac(lines ...string) string {
	m := hmac.New(sha256.New, []byte(v.Key))
	io.WriteString(m, strings.Join(lines, "\n"))
	return hex.EncodeToString(m.Sum(nil))
}

// Plain asks in the form with HMAC. It tells whether the answer was signed.
func (v *Vendor) Plain(ctx context.Context, method, path string, body []byte) (status int, answer []byte, signed bool, err error) {
	const form = "HOSPAY-HMAC-SHA256"
	stamp, nonce := strconv.FormatInt(v.Now().Unix(), 10), v.Nonce()
	req, err := http.NewRequestWithContext(ctx, method, v.Base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hospay-Institution", v.Institution)
	req.Header.Set("X-Hospay-Timestamp", stamp)
	req.Header.Set("X-Hospay-Nonce", nonce)
	req.Header.Set("X-Hospay-Sign", v.mac(form, method, path, stamp, nonce, hash(body)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, false, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	want := v.mac(form+" ANSWER", nonce, strconv.Itoa(res.StatusCode), res.Header.Get("X-Hospay-Timestamp"), hash(answer))
	return res.StatusCode, answer, res.Header.Get("X-Hospay-Sign") == want, err
}

// Envelope seals content in the form with SM2 and SM4.
func (v *Vendor) Envelope(content []byte) ([]byte, error) {
	block, err := sm4.NewCipher([]byte(VendorToken))
	if err != nil {
		return nil, err
	}
	gap := 16 - len(content)%16
	padded := append(append([]byte{}, content...), bytes.Repeat([]byte{byte(gap)}, gap)...)
	for from := 0; from < len(padded); from += 16 {
		block.Encrypt(padded[from:from+16], padded[from:from+16])
	}
	data, stamp := hex.EncodeToString(padded), strconv.FormatInt(v.Now().Unix(), 10)
	sign, err := v.signer.Sign(rand.Reader, []byte(data+VendorToken+stamp), sm2.NewSM2SignerOption(true, nil))
	if err != nil {
		return nil, err
	}
	return sim.JSON(map[string]string{"sn": VendorSN, "data": data, "sign": hex.EncodeToString(sign), "timestamp": stamp}), nil
}

// SM asks in that form and opens the answer.
func (v *Vendor) SM(ctx context.Context, op string, envelope []byte) (code, node string, content []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.Base+"/api/hospay/his/sm/"+v.Institution+"/"+op, bytes.NewReader(envelope))
	if err != nil {
		return "", "", nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", "", nil, err
	}
	defer res.Body.Close()
	var out struct{ Node, Code, Data string }
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || out.Data == "" {
		return out.Code, out.Node, nil, err
	}
	raw, err := hex.DecodeString(out.Data)
	if err != nil || len(raw) == 0 || len(raw)%16 != 0 {
		return out.Code, out.Node, nil, fmt.Errorf("answer of %d bytes: %w", len(raw), err)
	}
	block, err := sm4.NewCipher([]byte(VendorToken))
	if err != nil {
		return out.Code, out.Node, nil, err
	}
	for from := 0; from < len(raw); from += 16 {
		block.Decrypt(raw[from:from+16], raw[from:from+16])
	}
	return out.Code, out.Node, raw[:len(raw)-int(raw[len(raw)-1])], nil
}
