package his

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/antchfx/xmlquery"
	"golang.org/x/text/encoding/simplifiedchinese"

	"hospay/sim"
)

const namespace = "http://his.demo.hospital/ws"

// soapDialect wraps the inner XML; SOAP answers are not signed.
type soapDialect struct {
	gbk    bool
	escape bool
}

// Fail builds a soap:Fault for HTTP 500 and coded answers for the rest.
func (d soapDialect) Fail(f sim.Failure) *sim.Reply {
	if f.Kind == "500" {
		fault := `<soap:Fault><faultcode>soap:Server</faultcode><faultstring>系统异常</faultstring></soap:Fault>`
		return d.reply(http.StatusInternalServerError, fault)
	}
	r := planned(f)
	return d.wrap(`<Response>` + result(r.code, r.message) + `</Response>`)
}

// Seal sends the body as it is.
func (soapDialect) Seal(_ http.Header, r *sim.Reply, _ sim.Seal) []byte { return r.Body }

func result(code, message string) string {
	return "<ResultCode>" + code + "</ResultCode><ResultMsg>" + html.EscapeString(message) + "</ResultMsg>"
}

// wrap puts the answer's string into the envelope, as CDATA or escaped.
func (d soapDialect) wrap(inner string) *sim.Reply {
	if d.escape {
		inner = html.EscapeString(inner)
	} else {
		inner = "<![CDATA[" + inner + "]]>"
	}
	return d.reply(200, `<CallResponse xmlns="`+namespace+`"><CallResult>`+inner+`</CallResult></CallResponse>`)
}

func (d soapDialect) reply(status int, body string) *sim.Reply {
	charset := "utf-8"
	if d.gbk {
		charset = "GBK"
	}
	text := []byte(`<?xml version="1.0" encoding="` + charset + `"?>` + "\n" +
		`<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` + body + `</soap:Body></soap:Envelope>`)
	if d.gbk {
		text, _ = simplifiedchinese.GBK.NewEncoder().Bytes(text)
	}
	return &sim.Reply{Status: status, Type: "text/xml; charset=" + charset, Body: text}
}

func (s *Server) soap(gbk bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("wsdl") {
			w.Header().Set("Content-Type", "text/xml; charset=utf-8")
			fmt.Fprintf(w, wsdl, s.URL()+r.URL.Path)
			return
		}
		d := soapDialect{gbk: gbk, escape: gbk}
		switch r.URL.Query().Get("wrap") {
		case "cdata":
			d.escape = false
		case "escape":
			d.escape = true
		}
		raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		in, code := map[string]string{}, ""
		if err == nil {
			in, code, err = readRequest(decode(raw, r.Header.Get("Content-Type"), gbk))
		}
		s.serveSOAP(w, d, in, code, err)
	}
}

func (s *Server) serveSOAP(w http.ResponseWriter, d soapDialect, in input, code string, err error) {
	user, password := in["user_id"], in["password"]
	delete(in, "user_id")
	delete(in, "password")
	op := s.byCode[code]
	problem := ""
	switch {
	case err != nil || op == nil:
		problem = result("1400", "参数错误")
	case user != SOAPUser || password != SOAPPassword:
		problem = result("1401", "认证失败")
	}
	if problem != "" {
		sim.Write(w, d, d.wrap("<Response>"+problem+"</Response>"), sim.SealGood, false)
		return
	}
	s.Serve(w, d, op.call(in), func(f sim.Fault) *sim.Reply {
		out, err := s.execute(op, in, f)
		if err != nil {
			f := err.(*refusal)
			return d.wrap("<Response>" + result(f.code, f.message) + "</Response>")
		}
		return d.wrap("<Response>" + result("0000", "成功") + out.xml() + "</Response>")
	})
}

var prolog = regexp.MustCompile(`(?i)^\s*<\?xml[^>]*encoding=["']([^"']+)["'][^>]*\?>`)

// decode turns the request into UTF-8 without a prolog.
func decode(raw []byte, contentType string, gbk bool) []byte {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	named := strings.ToLower(contentType)
	m := prolog.FindSubmatch(raw)
	if m != nil {
		named += " " + strings.ToLower(string(m[1]))
	}
	isGBK := strings.Contains(named, "gb") || gbk && !strings.Contains(named, "utf-8") || !utf8.Valid(raw)
	if m != nil {
		raw = raw[len(m[0]):]
	}
	if isGBK {
		if text, err := simplifiedchinese.GBK.NewDecoder().Bytes(raw); err == nil {
			return text
		}
	}
	return raw
}

// readRequest takes the string out of the envelope and the fields out of the string.
func readRequest(text []byte) (input, string, error) {
	outer, err := xmlquery.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, "", err
	}
	call := xmlquery.FindOne(outer, "//*[local-name()='requestXml']")
	if call == nil {
		return nil, "", fmt.Errorf("soap request: no requestXml")
	}
	inner := prolog.ReplaceAllString(strings.TrimSpace(call.InnerText()), "")
	doc, err := xmlquery.Parse(strings.NewReader(inner))
	if err != nil {
		return nil, "", err
	}
	root := xmlquery.FindOne(doc, "/Request")
	if root == nil {
		return nil, "", fmt.Errorf("soap request: no Request")
	}
	in := input{}
	for n := root.FirstChild; n != nil; n = n.NextSibling {
		if n.Type != xmlquery.ElementNode {
			continue
		}
		value := strings.TrimSpace(n.InnerText())
		name := snake(n.Data)
		in[name] = value
		if f, ok := sim.Fen(value); ok && isMoney(name) {
			in[name] = strconv.FormatInt(f, 10)
		}
	}
	code := in["trade_code"]
	delete(in, "trade_code")
	return in, code, nil
}

// snake turns OurNo into our_no; UserID counts as user_id.
func snake(name string) string {
	var b strings.Builder
	upper := true
	for _, r := range name {
		isUpper := r >= 'A' && r <= 'Z'
		if isUpper && !upper {
			b.WriteByte('_')
		}
		upper = isUpper
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// pascal turns our_no into OurNo.
func pascal(name string) string {
	var b strings.Builder
	for _, part := range strings.Split(name, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// xml writes the fields in their order; money becomes yuan.
func (r record) xml() string {
	var b strings.Builder
	for _, f := range r {
		name := pascal(f.name)
		b.WriteString("<" + name + ">")
		switch v := f.value.(type) {
		case fen:
			b.WriteString(sim.Yuan(int64(v)))
		case []record:
			for _, row := range v {
				b.WriteString("<Item>" + row.xml() + "</Item>")
			}
		default:
			xml.EscapeText(&b, []byte(fmt.Sprint(v)))
		}
		b.WriteString("</" + name + ">")
	}
	return b.String()
}

const wsdl = `<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:tns="http://his.demo.hospital/ws" targetNamespace="http://his.demo.hospital/ws">
<wsdl:types><s:schema elementFormDefault="qualified" targetNamespace="http://his.demo.hospital/ws">
<s:element name="Call"><s:complexType><s:sequence><s:element minOccurs="0" maxOccurs="1" name="requestXml" type="s:string"/></s:sequence>
</s:complexType></s:element>
<s:element name="CallResponse"><s:complexType><s:sequence><s:element minOccurs="0" maxOccurs="1" name="CallResult" type="s:string"/>
</s:sequence></s:complexType></s:element>
</s:schema></wsdl:types>
<wsdl:message name="CallSoapIn"><wsdl:part name="parameters" element="tns:Call"/></wsdl:message>
<wsdl:message name="CallSoapOut"><wsdl:part name="parameters" element="tns:CallResponse"/></wsdl:message>
<wsdl:portType name="HisSoap"><wsdl:operation name="Call"><wsdl:input message="tns:CallSoapIn"/><wsdl:output message="tns:CallSoapOut"/>
</wsdl:operation></wsdl:portType>
<wsdl:binding name="HisSoap" type="tns:HisSoap"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
<wsdl:operation name="Call"><soap:operation soapAction="http://his.demo.hospital/ws/Call" style="document"/><wsdl:input>
<soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation></wsdl:binding>
<wsdl:service name="His"><wsdl:port name="HisSoap" binding="tns:HisSoap"><soap:address location="%s"/></wsdl:port></wsdl:service>
</wsdl:definitions>
`
