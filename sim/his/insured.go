package his

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"hospay/sim"
	"hospay/sim/world"
)

// ownArea is the city of the hospital, and of the centre.
const ownArea = "440100"

// areas are the places of insurance that the hospital takes, its own first.
var areas = []struct{ code, name string }{{ownArea, "广州市"}, {"440000", "广东省（省直）"}, {"440300", "深圳市"}, {"440600", "佛山市"}}

var insutypes = map[string]string{"310": "职工基本医疗保险", "390": "城乡居民基本医疗保险", "340": "离休人员医疗保障"}

// insurance is a row of what the insurance knows of a person (1101): state is
// 1 valid, 2 paused, 3 ended, 0 not insured.
type insurance struct {
	area, insutype, state string
	balance               int64
	barred                string // why no benefit is enjoyed (2001)
	chronic               bool   // has a registered chronic disease (5301)
}

// benefit is a row of the answer: an insurance with one way to settle.
type benefit struct {
	insurance
	medType, medName, diseCode, disease string
}

func (b benefit) id() string { return b.area + "-" + b.insutype + "-" + b.medType + b.diseCode }

// choice is what a patient has chosen for a bill.
type choice struct{ area, psnNo, insutype, medType, diseCode, disease string }

// rowsOf is what the insurance knows of a patient. A few have more to show.
func (d *desk) rowsOf(p *world.Patient) []insurance {
	if rows, set := d.insured[p.Code]; set {
		return rows
	}
	valid := insurance{area: ownArea, insutype: "310", state: "1", balance: 50_000}
	resident := insurance{area: ownArea, insutype: "390", state: "1"}
	switch p.Code {
	case "P0004":
		return nil
	case "P0006": // paused as an employee, insured as a resident
		valid.state = "2"
		return []insurance{valid, resident}
	case "P0009": // insured in another city
		valid.state, resident.area = "0", "440300"
		return []insurance{valid, resident}
	case "P0010":
		valid.state = "0"
		return []insurance{valid}
	case "P0011": // insured in two places
		resident.area = "440600"
		return []insurance{valid, resident}
	case "P0012":
		valid.state = "3"
		return []insurance{valid}
	case "P0016":
		valid.barred = "缴费中断后的等待期内，暂不享受待遇"
		return []insurance{valid}
	case "P0005", "P0008":
		valid.chronic = true
		return []insurance{valid}
	case "P0007", "P0002": // children
		return []insurance{resident}
	}
	return []insurance{valid}
}

func psnNo(p *world.Patient) string { return "44010000" + p.Code[1:] }

// benefits are the rows of an answer. A fault of the call bends them.
func (d *desk) benefits(p *world.Patient, area string, f sim.Fault) ([]benefit, error) {
	if f.Kind == sim.AreaOff || !slices.ContainsFunc(areas, func(a struct{ code, name string }) bool { return a.code == area }) {
		return nil, errArea
	}
	rows := slices.Clone(d.rowsOf(p))
	if f.Kind == sim.NotEnrolled || !slices.ContainsFunc(rows, func(r insurance) bool { return r.area == area }) {
		return nil, errNotInsured
	}
	if f.Kind == sim.PausedFirst {
		rows = append([]insurance{{area: area, insutype: "340", state: "2"}}, rows...)
	}
	var out []benefit
	for _, r := range rows {
		if f.Kind == sim.NotEnjoyed {
			r.barred = "待遇检查未通过"
		}
		out = append(out, benefit{insurance: r, medType: "11", medName: "普通门诊"}, benefit{insurance: r, medType: "12", medName: "门诊挂号"})
		if r.chronic {
			out = append(out, benefit{r, "14", "门诊慢特病", "DEMO-M01", "高血压（示例病种）"})
		}
	}
	return out, nil
}

// enrolment is 1101, 2001 and 5301 behind one call.
func (s *Server) enrolment(in input, f sim.Fault) (record, error) {
	if err := in.need("area"); err != nil {
		return nil, err
	}
	p, err := s.patient(in)
	if err != nil {
		return nil, err
	}
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	all, err := s.desk.benefits(p, in["area"], f)
	if err != nil {
		return nil, err
	}
	rows := []record{}
	for _, b := range all {
		enjoyed := "1"
		if b.barred != "" {
			enjoyed = "0"
		}
		rows = append(rows, record{{"id", b.id()}, {"area", b.area}, {"psn_no", psnNo(p)}, {"insutype", b.insutype},
			{"insutype_name", insutypes[b.insutype]}, {"med_type", b.medType}, {"med_type_name", b.medName}, {"dise_code", b.diseCode},
			{"disease", b.disease}, {"balance", fen(b.balance)}, {"state", b.state}, {"enjoyed", enjoyed}, {"reason", b.barred}})
	}
	return record{{"area", in["area"]}, {"benefits", rows}}, nil
}

func (s *Server) areas(input, sim.Fault) (record, error) {
	rows := []record{}
	for i, a := range areas {
		own := "0"
		if i == 0 {
			own = "1"
		}
		rows = append(rows, record{{"code", a.code}, {"name", a.name}, {"own", own}})
	}
	return record{{"areas", rows}}, nil
}

// saveIdentity takes the chosen benefit and prices the bill anew.
func (s *Server) saveIdentity(in input, f sim.Fault) (record, error) {
	if err := in.need("area", "insutype", "med_type", "bill_no", "card_no"); err != nil {
		return nil, err
	}
	p, err := s.patient(in)
	if err != nil {
		return nil, err
	}
	d := s.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	b, err := d.find(in["card_no"], in["bill_no"])
	if err != nil {
		return nil, err
	}
	d.strange(b, f)
	if err := b.payable(); err != nil {
		return nil, err
	}
	all, err := d.benefits(p, in["area"], f)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(x benefit) bool {
		return x.area == in["area"] && x.insutype == in["insutype"] && x.medType == in["med_type"] && x.diseCode == in["dise_code"] &&
			x.state == "1" && x.barred == ""
	})
	if i < 0 || !b.insurable {
		return nil, errBenefit
	}
	b.chosen = &choice{in["area"], psnNo(p), in["insutype"], in["med_type"], all[i].diseCode, all[i].disease}
	return record{{"bill_no", b.no}, {"amount", fen(b.amount())}}, nil
}

// SetInsured replaces what the insurance knows of a patient:
// ?area=440100&insutype=310&state=2&balance=0&barred=…; state none takes all away.
func (s *Server) SetInsured(code string, q url.Values) error {
	p := s.world.Find(code)
	if p == nil {
		return fmt.Errorf("no patient %s", code)
	}
	balance, err := strconv.ParseInt("0"+q.Get("balance"), 10, 64)
	if err != nil {
		return fmt.Errorf("balance must be fen, got %q", q.Get("balance"))
	}
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	if q.Get("state") == "none" {
		s.desk.insured[p.Code] = []insurance{}
		return nil
	}
	row := insurance{area: q.Get("area"), insutype: q.Get("insutype"), state: q.Get("state"), balance: balance, barred: q.Get("barred")}
	if row.area == "" || insutypes[row.insutype] == "" || !slices.Contains([]string{"0", "1", "2", "3"}, row.state) {
		return fmt.Errorf("area, insutype 310, 390 or 340, state 0 to 3: got %q %q %q", row.area, row.insutype, row.state)
	}
	s.desk.insured[p.Code] = []insurance{row}
	return nil
}
